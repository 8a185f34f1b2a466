"""Those who are told of what happens: signed webhooks, Slack-style channels, mail."""
