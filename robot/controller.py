"""The robot's spinal cord: observations, orders and board states in, gated commands out.

What is being done runs in tracks: one for the order of a person, one for each reflex that
has fired. Tracks that move different parts of the body run side by side; for the same
part, a person by hand goes before an order, an order before a reflex. Safety goes before
all: it is the gate's, not decided here.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge import BoardState
from reflexarc.perception.observation import Observation
from reflexarc.robot.actions import Basic, Stop, When, written_out
from reflexarc.robot.body import REST, Wheels
from reflexarc.robot.config import RobotConfig
from reflexarc.robot.events import Event, Kind, Stations
from reflexarc.robot.gate import Gate, GateState
from reflexarc.robot.plan import Plan
from reflexarc.robot.reflexes import EVENTS, Feeling, Firing, ReflexEngine, RuleBook
from reflexarc.robot.reflexes.events import LOW_V, NEAR, Seen
from reflexarc.robot.skills import Part, Senses, SkillError, Wish, skill_for
from reflexarc.robot.track import Track
from reflexarc.robot.words import Language, language_of

MOVES_PER_ORDER = 500
"""So often may reflexes set off moves before a person has to say something again: no
chain of reflexes that set each other off through the world goes on forever."""
_PULSES_WAITING = 3
_MOVING: frozenset[Part] = frozenset({"wheels", "head", "gripper"})
_SERVOS: dict[Part, tuple[str, ...]] = {"head": ("pan", "tilt"), "gripper": ("gripper",)}


class Controller:
    """Runs orders and reflexes. Safe to call from several threads.

    `observe` is called for every observation and `tick` for every board state; both may
    command the board, always through the gate.
    """

    def __init__(
        self,
        config: RobotConfig,
        gate: Gate,
        on_event: Callable[[Event], None] = lambda event: None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        book: RuleBook | None = None,
    ) -> None:
        self._config = config
        self._gate = gate
        self._book = book or RuleBook(config.reflexes)
        self._rules = self._book.active()
        self._engine = ReflexEngine(self._rules)
        self._tell = on_event
        self._clock_ns = clock_ns
        self._lock = threading.RLock()
        self._tracks: list[Track] = []
        self._state: BoardState | None = None
        self._gone = ""
        self._seen: dict[str, Observation] = {}
        self._picture = (640, 480)
        self._moves_left = MOVES_PER_ORDER
        self._manual_ns: int | None = None
        self._orders = 0
        self._home: dict[str, float] = {}

    @property
    def busy(self) -> bool:
        """Is anything under way?"""
        with self._lock:
            return bool(self._tracks)

    @property
    def has_order(self) -> bool:
        """Is the order of a person under way?"""
        with self._lock:
            return any(track.firing is None for track in self._tracks)

    def is_doing(self, order: int) -> bool:
        """Is the order of that number under way?"""
        with self._lock:
            return any(track.order == order for track in self._tracks)

    def needed_tasks(self) -> frozenset[str]:
        """Tasks that rules or skills look with now."""
        with self._lock:
            self._take_rules()
            rules = {source.task for rule in self._rules if (source := _seen(rule.event))}
            skills = (track.skill.tasks for track in self._tracks if track.skill is not None)
            return frozenset(rules).union(*skills)

    # ---- from people

    def order(self, plan: Plan, said: str = "", language: Language | None = None) -> int:
        """Do a plan instead of what the last order wanted; its rules are armed at once.

        Gives the order's number, which its events carry.

        Raises:
            ValueError: the plan's status is not "ok".
            RuleError, WriteError: a rule cannot be kept; those before it are.
        """
        if plan.status != "ok":
            raise ValueError(f"expected a plan to do; found one with status {plan.status}")
        with self._lock:
            self._moves_left = MOVES_PER_ORDER
            self._orders += 1
            number = self._orders
            spoken = language or language_of(said)
            rules = [action for action in plan.actions if isinstance(action, When)]
            for rule in rules:
                title = str(self._book.add(rule, said).reflex.title)
                self._tell(Event("rule", title, None, rule, order=number))
            steps = deque(written_out(plan.actions))
            if not steps:
                return number
            if isinstance(steps[0], Stop):
                self.stop("told to stop")
                steps.popleft()
            for track in [track for track in self._tracks if track.firing is None]:
                self._cancel(track, "another order came")
            track = Track(steps, language=spoken, order=number)
            self._tracks.insert(0, track)
            self._advance(track)
            return number

    def cancel(self, order: int, reason: str) -> None:
        """End the order of that number, if it is under way; its motors go off."""
        with self._lock:
            for track in [track for track in self._tracks if track.order == order]:
                self._cancel(track, reason)

    def stop(self, reason: str) -> None:
        """Everything ends now, motors off; reflexes that move wait for the next order."""
        try:
            # At once, whoever is at it; then again, for what they may have begun since.
            self._gate.halt(self._clock_ns())
        finally:
            with self._lock:
                self._moves_left = 0
                self._end_all(reason)
                self._tell(Event("stopped", reason))

    def end(self, reason: str) -> None:
        """Nothing is under way any more: for a robot that ends."""
        with self._lock, contextlib.suppress(ReflexarcError):
            self._end_all(reason)

    def lose_body(self, reason: str) -> None:
        """The board is out of reach: all ends, and what was known of the body is forgotten."""
        with self._lock:
            self._state, self._gone = None, reason  # its counts may begin anew
            with contextlib.suppress(ReflexarcError):
                self._end_all(reason)
            self._tell(Event("stopped", reason))

    def lose_eyes(self, reason: str) -> None:
        """What looked has ended or died: wheels that something moves, by eye or not, brake.

        The stop latches. What needs no wheels goes on.
        """
        with self._lock:
            if any("wheels" in track.holds for track in self._tracks):
                self._gate.brake(reason, self._clock_ns())

    def manual(self, wheels: Wheels) -> Wheels:
        """Drive by hand: ends what moves the wheels, and keeps others from them for a while."""
        with self._lock:
            self.yield_to_hand()
            return self._gate.drive(wheels, self._clock_ns())

    def yield_to_hand(self) -> None:
        """Somebody drives by hand, past this controller; to be said again while it is so."""
        with self._lock:
            self._manual_ns = self._clock_ns()
            self._moves_left = MOVES_PER_ORDER
            for track in [t for t in self._tracks if "wheels" in t.holds]:
                self._cancel(track, "driven by hand")

    # ---- from the body

    def observe(self, observation: Observation, picture: tuple[int, int] | None = None) -> None:
        """Take an observation; a rule that fires moves the robot before this returns.

        Args:
            observation: of any task.
            picture: width and height of its frame.
        """
        observed_ns = self._clock_ns()
        with self._lock:
            self._take_rules()
            # A stamp of the future, of another clock, would keep frames fresh for ever.
            self._gate.saw_frame(min(observation.stamp_ns, observed_ns))
            self._seen[observation.task] = observation
            self._picture = picture or self._picture
            for firing in self._engine.update(observation):
                self._fire(firing, observed_ns)

    def tick(self, state: BoardState) -> None:
        """Take a board state: watch over it, and go on with what is under way."""
        with self._lock:
            self._state, self._gone = state, ""
            now = self._clock_ns()
            self._take_rules()
            by_eye = any(track.drives_by_eye for track in self._tracks)
            self._gate.watch(now, state, by_eye=by_eye)
            if self._gate.state is not GateState.ARMED:
                for track in [t for t in self._tracks if t.holds & _MOVING]:
                    self._cancel(track, self._gate.reason)
            limits = self._config.limits
            feeling = Feeling(
                state.stamp_ns,
                state.range_m,
                state.bump,
                state.battery_v,
                NEAR * limits.obstacle_m,
                limits.battery_min_v + LOW_V,
            )
            for firing in self._engine.feel(feeling):
                self._fire(firing, None)
            for track in list(self._tracks):
                if track in self._tracks:  # an earlier one may have ended it
                    self._advance(track)

    # ---- reflexes

    def _take_rules(self) -> None:
        """Those of the book from now on, if they are others now."""
        rules = self._book.active()
        if rules is not self._rules:
            self._rules = rules
            self._engine.set_rules(rules)

    def _fire(self, firing: Firing, observed_ns: int | None) -> None:
        rule = firing.rule
        steps = deque(written_out(rule.actions))
        stops = any(isinstance(step, Stop) for step in steps)
        if stops:
            self._tell(Event("fired", rule.title, firing))
            self._gate.halt(self._clock_ns())
            self._end_all("stopped by a reflex")
            self._tell(Event("finished", "stop", firing, Stop()))
            steps = deque(step for step in steps if not isinstance(step, Stop))
            if not steps:
                return
        parts = self._parts(steps)
        why_not = self._why_not(firing, steps, parts)
        if why_not:
            self._tell(Event("ignored", f"{rule.title}: {why_not}", firing))
            return
        self._moves_left -= bool(parts & _MOVING)
        if not stops:
            self._tell(Event("fired", rule.title, firing))
        if why_not is not None:
            return
        language = language_of(" ".join(map(str, rule.actions)))
        track = Track(steps, firing, language, parts, observed_ns=observed_ns)
        self._tracks.append(track)
        self._advance(track)

    def _why_not(self, firing: Firing, steps: deque[Basic], parts: frozenset[Part]) -> str | None:
        """Why a rule may not start: in words, empty if it waits its turn; None: it may."""
        rule = firing.rule
        if parts & _MOVING and self._moves_left <= 0:
            return "resting until the next order"
        if parts & _MOVING and self._gate.state is not GateState.ARMED:
            return f"not armed: {self._gate.reason}"
        mine = [t for t in self._tracks if t.firing is not None and t.firing.rule == rule]
        if mine:
            source = _seen(rule.event)
            if source is None or not source.counter:
                return "still at it"
            if len(mine[0].waiting) >= _PULSES_WAITING * len(steps):
                return "too many at once"
            mine[0].waiting.extend(steps)
            return ""
        if "wheels" in parts and self._by_hand():
            return "driven by hand"
        others = [track for track in self._tracks if track.holds & parts]
        for other in others:
            if not other.yields_to(rule):
                return f"busy with {other.name}"
        for other in others:
            self._cancel(other, f"interrupted by {rule.title}")
        return None

    def _parts(self, steps: Iterable[Basic]) -> frozenset[Part]:
        every = [
            skill_for(step, self._config).parts for step in steps if not isinstance(step, Stop)
        ]
        return frozenset().union(*every)

    def _by_hand(self) -> bool:
        if self._manual_ns is None:
            return False
        stale_ns = self._config.limits.command_stale_s * 1e9
        return self._clock_ns() - self._manual_ns < stale_ns

    # ---- tracks

    def _advance(self, track: Track) -> None:
        """Go on with a track's action; when it is done, begin the next one.

        One at a time: the board is asked a hundred times a second, and "stop" comes between.
        """
        if self._state is None:  # nothing is known of the body before its first state
            if self._gone:  # what waited would begin long after it was asked for
                self._cancel(track, self._gone)
            return
        if track.skill is not None:
            if self._step(track):
                return
            self._finish(track)
        if track.waiting:
            self._start(track)
        elif track in self._tracks:
            self._tracks.remove(track)

    def _start(self, track: Track) -> None:
        """Begin the next action."""
        action = track.waiting.popleft()
        if isinstance(action, Stop):
            self._gate.halt(self._clock_ns())
            self._tell(Event("finished", str(action), track.firing, action, order=track.order))
            return
        skill = skill_for(action, self._config, track.language)
        if track.firing is None:
            if skill.parts & _MOVING and self._gate.state is not GateState.ARMED:
                self._cancel(track, f"not armed: {self._gate.reason}")
                return
            if "wheels" in skill.parts and self._by_hand():
                self._cancel(track, "driven by hand")
                return
            for other in [t for t in self._tracks if t is not track and t.holds & skill.parts]:
                self._cancel(other, "an order needs the same part of the body")
        track.action, track.skill = action, skill
        decided_ns = self._clock_ns()
        is_under_way = self._step(track)
        stations = None
        firing = track.firing
        if track.is_first and is_under_way and firing is not None and track.observed_ns:
            assert firing.observation is not None
            stations = Stations(
                firing.observation.stamp_ns, track.observed_ns, decided_ns, self._clock_ns()
            )
        track.is_first = False
        if track in self._tracks:
            self._tell(Event("started", str(action), firing, action, {}, stations, track.order))
            if not is_under_way:
                self._finish(track)

    def _step(self, track: Track) -> bool:
        """One step of the skill through the gate; False when it is done or given up."""
        assert track.skill is not None and self._state is not None
        blocked = self._gate.blocked if "wheels" in track.skill.parts else ""
        senses = Senses(
            self._clock_ns(), self._state, self._seen, self._picture, blocked, self._home
        )
        try:
            wish = track.skill.step(senses)
        except SkillError as error:
            self._cancel(track, str(error))
            return True
        if wish is not None:
            self._grant(track, wish)
        elif "wheels" in track.skill.parts:
            # Also for an action of no length: what is done ends with motors at rest.
            self._gate.drive(REST, senses.now_ns)
        return wish is not None

    def _grant(self, track: Track, wish: Wish) -> None:
        now = self._clock_ns()
        if wish.wheels is not None:
            self._gate.drive(wish.wheels, now)
        if wish.servos:
            self._gate.servos(wish.servos, now)
        if wish.light is not None:
            self._gate.light(wish.light, now)
        if wish.say:
            self._about(track, "said", wish.say)
        if wish.progress:
            self._about(track, "progress", wish.progress)

    def _finish(self, track: Track) -> None:
        """Say that the action is done, unless it was given up and that was said."""
        if track.skill is not None and track in self._tracks:
            held = self._gate.held_servos
            for name in (name for part in track.skill.parts for name in _SERVOS.get(part, ())):
                self._home |= {name: held[name]} if name in held else {}
            self._about(track, "finished", str(track.action))
            track.skill = None

    def _cancel(self, track: Track, reason: str) -> None:
        self._tracks.remove(track)
        track.waiting.clear()
        try:
            if "wheels" in track.holds:
                self._gate.halt(self._clock_ns())
        finally:
            self._about(track, "failed", reason)
            track.skill = None

    def _end_all(self, reason: str) -> None:
        with contextlib.ExitStack() as ending:  # the next one too, where the board is gone
            for track in reversed(self._tracks):
                ending.callback(self._cancel, track, reason)

    def _about(self, track: Track, kind: Kind, text: str) -> None:
        result = {} if track.skill is None else track.skill.result()
        self._tell(Event(kind, text, track.firing, track.action, result, order=track.order))


def _seen(event: str) -> Seen | None:
    source = EVENTS[event]
    return source if isinstance(source, Seen) else None
