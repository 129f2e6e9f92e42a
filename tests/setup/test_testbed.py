import contextlib

from lifecycle_setup import database, testbed


def test_databases_of_a_test_run_that_goes_on_are_left_alone(monkeypatch):
    living, dead = (f"{testbed.PREFIX}_run_{letter * 2 * testbed.RUN_BYTES}" for letter in "ab")
    names = [living, f"{living}_crash", dead, f"{dead}_together"]
    dropped = []

    @contextlib.contextmanager
    def claim(name, wait=True):
        yield name != living

    monkeypatch.setattr(database, "named_like", lambda prefix: names)
    monkeypatch.setattr(database, "claim", claim)
    monkeypatch.setattr(database, "drop", dropped.append)
    testbed._drop_abandoned()
    assert dropped == [dead, f"{dead}_together"]
