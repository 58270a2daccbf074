"""The simulation's own floor: virtual time, processes that crash, and a scheduler that notices what never ends."""

from random import Random

import pytest

from tests.simulation.runtime import Process, Scheduler, SimClock, SimInbox, SimWorkers, Stuck


def world(seed=1):
    scheduler = Scheduler(Random(seed))
    return scheduler, Process(scheduler, "one")


def run(scheduler, seconds=1_000.0):
    scheduler.run(until=scheduler.now + seconds)


def test_sleepers_wake_in_the_order_of_their_times_and_nobody_waits_for_real():
    scheduler, process = world()
    clock, woke = SimClock(scheduler), []
    began = clock.elapsed()

    def sleep(seconds):
        clock.sleep(seconds)
        woke.append((seconds, clock.elapsed() - began))

    for seconds in (900.0, 1.0, 60.0):
        process.start(lambda seconds=seconds: sleep(seconds), f"{seconds}")
    run(scheduler)

    assert woke == [(1.0, 1.0), (60.0, 60.0), (900.0, 900.0)]


@pytest.mark.parametrize("messages", [1, 2, 3])
def test_each_message_wakes_a_reader_of_its_own(messages):
    """As with real threads: a second errand does not wait until the first one's carrier is home."""
    scheduler, process = world()
    clock, workers, taken = SimClock(scheduler), SimWorkers(process), []
    inbox = workers.inbox()

    def carry():
        inbox.get()
        taken.append(clock.elapsed())
        clock.sleep(60.0)

    def hand_out():
        clock.sleep(1.0)
        for _ in range(messages):
            inbox.put("errand")

    for number in range(messages):
        workers.start(carry, name=f"carrier-{number}")
    workers.start(hand_out, name="engine")
    run(scheduler)

    assert len(taken) == messages
    assert max(taken) == min(taken)


def test_a_get_gives_up_at_its_timeout():
    scheduler, process = world()
    clock, got = SimClock(scheduler), []
    inbox = SimInbox(scheduler)
    began = clock.elapsed()

    process.start(lambda: got.append((inbox.get(timeout=5.0), clock.elapsed() - began)), "reader")
    run(scheduler)

    assert got == [(None, 5.0)]


def test_a_join_waits_for_the_end():
    scheduler, process = world()
    clock, workers, ends = SimClock(scheduler), SimWorkers(process), []
    began = clock.elapsed()

    def main():
        workers.start(lambda: clock.sleep(7.0), name="child").join()
        ends.append(clock.elapsed() - began)

    process.start(main, "main")
    run(scheduler)

    assert ends == [7.0]


def test_nothing_of_a_crashed_process_reaches_the_world_any_more():
    """Not even what its finally-blocks and its handlers of every exception would do."""
    scheduler, process = world()
    other = Process(scheduler, "other")
    clock, reached = SimClock(scheduler), []

    def stubborn():
        try:
            clock.sleep(100.0)
            reached.append("slept")
        except BaseException:
            clock.sleep(1.0)
            reached.append("handled")
        finally:
            process.start(lambda: reached.append("started"), "late")

    def killer():
        clock.sleep(1.0)
        process.crash()
        clock.sleep(500.0)
        reached.append("killer goes on")

    process.start(stubborn, "stubborn")
    other.start(killer, "killer")
    run(scheduler)

    assert reached == ["killer goes on"]


def test_a_process_that_crashes_itself_does_not_go_on():
    scheduler, process = world()
    reached = []

    def main():
        process.crash()
        reached.append("after its end")

    process.start(main, "main")
    run(scheduler)

    assert reached == []


def test_a_suspended_process_sleeps_and_its_clock_goes_on():
    scheduler, process = world()
    other = Process(scheduler, "other")
    clock, woke = SimClock(scheduler), []
    began = clock.elapsed()

    def main():
        clock.sleep(2.0)
        woke.append(clock.elapsed() - began)

    process.start(main, "main")
    other.start(lambda: (clock.sleep(1.0), process.suspend(30.0)), "lid")
    run(scheduler)

    assert woke == [31.0]


def test_who_waits_for_ever_is_named():
    scheduler, process = world()
    inbox = SimInbox(scheduler)
    process.start(inbox.get, "reader")

    with pytest.raises(Stuck, match="nobody wakes one/reader"):
        run(scheduler)


def test_what_goes_on_for_ever_is_stopped():
    scheduler, process = world()
    clock = SimClock(scheduler)

    def spin():
        while True:
            clock.sleep(0.0)

    process.start(spin, "spinner")
    with pytest.raises(Stuck, match="one/spinner goes on and on"):
        run(scheduler)


def test_what_a_thread_raises_ends_the_simulation():
    scheduler, process = world()
    process.start(lambda: 1 / 0, "broken")

    with pytest.raises(ZeroDivisionError):
        run(scheduler)


def test_the_same_seed_decides_ties_the_same_way():
    def order(seed):
        scheduler, process = world(seed)
        came = []
        for name in "abcdef":
            process.start(lambda name=name: came.append(name), name)
        run(scheduler)
        return "".join(came)

    assert order(3) == order(3)
    assert len({order(seed) for seed in range(10)}) > 1
