"""A task whose workers die is sent again, unless it is the task that kills them: with a client that only says so."""

from types import SimpleNamespace

import pytest
from distributed import KilledWorker
from PCRPredictorLib.engine.cluster import Cluster
from PCRPredictorLib.errors import DataError
from support.long_tasks import double


class Client:
    """A client whose workers die of a task a few times; before, each task reports what is given."""

    status, dashboard_link, scheduler = "running", "", SimpleNamespace(address="tcp://127.0.0.1:1")

    def __init__(self, deaths, *news):
        self.deaths, self.news, self.sent = deaths, news, 0

    def scheduler_info(self, n_workers):
        return {"workers": {"one": {}}}

    def subscribe_topic(self, _topic, listen):
        self.listen = listen

    def submit(self, _perform, job, **_options):
        self.sent += 1
        for news in self.news:
            self.listen((0.0, [job.number, *news]))
        killed = KilledWorker("task", SimpleNamespace(address="tcp://one"), 3) if self.sent <= self.deaths else None
        return Future(killed, (2 * job.task, None, ""))

    def cancel(self, _futures, force):
        assert force

    def unsubscribe_topic(self, _topic):
        self.listen = None


class Future:
    def __init__(self, error, value):
        self.error, self.value, self.status = error, value, "error" if error else "finished"

    def exception(self):
        return self.error

    def result(self):
        return self.value

    def add_done_callback(self, tell):
        tell(self)


@pytest.mark.parametrize(
    ("deaths", "news"),
    [(3, []), (20, [[], [1, "epoch 1"]])],
    ids=["it was not begun where others died", "it gets on each time"],
)
def test_task_is_sent_again(deaths, news):
    client, said = Client(deaths, *news), []
    assert [each.result() for each in Cluster(client, "here", None, {}, said.append).run(double, [4])] == [8]
    assert client.sent == deaths + 1
    assert len(said) == (deaths if news else 0)
    assert set(said) <= {"A worker was lost; what it did goes on in another one of here"}


@pytest.mark.parametrize(("begun", "sent"), [([[], [], [], []], 1), ([], 4)], ids=["seen", "unseen"])
def test_task_that_kills_its_workers_fails_with_a_sentence(begun, sent):
    client = Client(1000, *begun)
    (done,) = Cluster(client, "here", None, {}, print).run(double, [4])
    with pytest.raises(DataError, match="workers died of this task again and again"):
        done.result()
    assert client.sent == sent
