"""An applicant with two sites, four profiles and an export of 5,000 backlinks, from end to end on loopback."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from crawlers import Fetcher, Robots, collect_site
from crawlers.backlinks.verify import VerifyMeans
from crawlers.facts import SiteFacts
from crawlers.social.catalogue import ways
from crawlers.social.collect import ProfileCollector, SocialMeans
from fraud.domain.programs import Application
from fraud.domain.signals import Status
from fraud.workflows.audience import link_source
from fraud.workflows.vetting import VettingTools, replay_vetting, vet
from tests.checks.applicants.samples import NOW, PACK, PROFILE
from tests.crawlers.backlinks.samples import NETWORKS
from tests.workflows.sites import Answer, served
from tests.workflows.test_vetting import blog

STATED = (
    "https://github.com/trailnotes",
    "https://bsky.app/profile/blog.test",
    "https://www.instagram.com/trailnotes/",
    "https://t.me/trailnotes",
)
HOSTS = {"https": ("api.github.com", "public.api.bsky.app", "t.me")}
WEB = {
    **blog("blog.test"),
    **blog("second.test"),
    "api.github.com/users/trailnotes": Answer(ways()["github"].found.encode()),
    "public.api.bsky.app/xrpc/app.bsky.actor.getProfile": Answer(ways()["bluesky"].found.replace("a.example", "blog.test").encode()),
    "t.me/*": Answer(b"slow down", 429),
}


def export(path: Path) -> Path:
    links = NETWORKS["link farm"](random.Random(1)) * 34
    rows = (f"http://{link.domain}/{n},{link.anchor},{link.title},{link.first_seen},{link.address}" for n, link in enumerate(links[:5_000]))
    path.write_text("source_url,anchor,title,first_seen,ip\n" + "\n".join(rows))
    return path


def test_a_full_dossier_says_what_every_source_said(tmp_path: Path) -> None:
    application = Application(
        application_id="app-9", websites=("http://blog.test/", "http://second.test/"), social_profiles=STATED, email="me@blog.test",
        backlinks_file=str(export(tmp_path / "links.csv")), phone="+49 30 901820", country="DE",
    )  # fmt: skip
    with served(WEB) as settings:

        async def work() -> None:
            async with Fetcher(settings, now=lambda: NOW) as fetcher:

                async def collect(url: str) -> SiteFacts:
                    return await collect_site(url, fetcher, keep=lambda body: "0" * 64)

                profiles = ProfileCollector(SocialMeans(fetcher, hosts={host: f"http://{host}" for host in HOSTS["https"]}))
                tools = VettingTools(
                    collect=collect, actor_id="test", pepper=b"pepper", now=lambda: NOW, profile=profiles.of,
                    dear=(link_source(VerifyMeans(fetcher, Robots(fetcher)), "always"),),
                )  # fmt: skip
                outcome = await vet(application, PROFILE, PACK, tools)
            signals = {(one.check_id, one.subject): one for one in outcome.decision.signals}
            assert signals["audience.backlinks", "app-9"].status is Status.FINDING
            assert signals["audience.profiles", STATED[0]].status is not Status.INCONCLUSIVE
            assert "429" in signals["audience.profiles", STATED[3]].text
            assert "Unverified" in signals["audience.profiles", STATED[2]].text
            assert signals["application.phone", "app-9"].status is Status.CLEAR
            dead = signals["audience.live_links", "app-9"]
            assert (dead.status, dead.value["live"], dead.sample_size) == (Status.FINDING, 0, 30)
            assert replay_vetting(outcome.decision, PACK) == outcome.decision.verdict

        asyncio.run(work())
