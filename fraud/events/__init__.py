"""The tables of the contract: their columns, the readers of files and trackers' formats, and what is set aside."""
