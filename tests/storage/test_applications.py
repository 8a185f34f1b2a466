"""Applications may change; their dossiers only ever gather."""

from __future__ import annotations

import pytest

from fraud.errors import InputError, NotFound
from fraud.storage.applications import SqlApplications
from fraud.storage.database import Database
from tests.storage.samples import application, dossier, later


@pytest.fixture
def applications(database: Database) -> SqlApplications:
    return SqlApplications(database)


def test_an_application_is_kept_and_may_change(applications: SqlApplications) -> None:
    applications.save(application())
    assert applications.get("shoes", "app_1") == application()
    applications.save(application(company="Åberg AB", applied_at=None))
    assert applications.get("shoes", "app_1") == application(company="Åberg AB", applied_at=None)


def test_an_application_without_an_id_is_refused(applications: SqlApplications) -> None:
    with pytest.raises(InputError, match="needs an application_id"):
        applications.save(application(""))


def test_the_newest_dossier_counts_and_earlier_ones_stay(applications: SqlApplications) -> None:
    for hours in (24, 48, 0):
        applications.add_dossier(dossier(as_of=later(hours), decision_id=f"dec_{hours}"))
    assert applications.dossier("shoes", "app_1") == dossier(as_of=later(48), decision_id="dec_48")


def test_of_two_dossiers_of_one_moment_the_later_arrival_counts(applications: SqlApplications) -> None:
    applications.add_dossier(dossier(score=0.1))
    applications.add_dossier(dossier(score=0.2))
    assert applications.dossier("shoes", "app_1").score == 0.2


def test_the_list_has_each_application_once_newest_first(applications: SqlApplications) -> None:
    for name, hours in (("app_1", 1), ("app_2", 2), ("app_1", 3), ("app_3", 0)):
        applications.add_dossier(dossier(name, as_of=later(hours)))
    listed = applications.dossiers("shoes", 10)
    assert [(one.application_id, one.as_of) for one in listed] == [("app_1", later(3)), ("app_2", later(2)), ("app_3", later(0))]
    assert [one.application_id for one in applications.dossiers("shoes", 1)] == ["app_1"]


def test_those_who_were_vetted_come_with_how_it_ended(applications: SqlApplications) -> None:
    for name in ("app_1", "app_2", "app_3"):
        applications.save(application(name))
    for name, hours in (("app_1", 1), ("app_2", 2), ("app_1", 3)):
        applications.add_dossier(dossier(name, as_of=later(hours)))
    told = [(one.application_id, outcome) for one, outcome in applications.vetted("shoes", 10)]
    assert told == [("app_1", dossier().outcome.value), ("app_2", dossier().outcome.value)]
    assert applications.vetted("hats", 10) == []


def test_what_is_not_there_is_not_found(applications: SqlApplications) -> None:
    with pytest.raises(NotFound, match="no application 'app_9'"):
        applications.get("shoes", "app_9")
    with pytest.raises(NotFound, match="no dossier of application 'app_9'"):
        applications.dossier("shoes", "app_9")


def test_a_new_application_never_replaces_another(applications: SqlApplications) -> None:
    assert applications.add(application()) == application()
    assert applications.add(application(name="Bob")) == application() == applications.get("shoes", "app_1")
    assert applications.add(application(program_id="hats", name="Bob")).name == "Bob"
