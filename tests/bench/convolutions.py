"""The reference convolution beside PyTorch's in binary64 and beside the core's multiply-add peak, and base64 beside
Python's: rows of the table.

One program answers for each side, they take turns, and each figure is processor time, so that a busy neighbour
disturbs both alike. A ratio is that of two answers given one after the other; the table shows the median of the rounds.
"""
import contextlib
import json
import os
import pathlib
import statistics
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
TIMES_PYTORCH, PART_OF_PEAK = 4, 0.65
WAYS = ("forward", "transposed")
BASE64_QUESTION = "base64 1048576"


class Answering:
    """A program that answers each line with a line of numbers."""

    def __init__(self, command, first_line=False, **environment):
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1", **environment})
        self.about = self.process.stdout.readline().strip() if first_line else ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(20)

    def ask(self, question):
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        return [float(word) for word in self.process.stdout.readline().split()]


def questions():
    for case in json.loads((HERE / "conv_cases.json").read_text()):
        for way in WAYS:
            numbers = " ".join(str(case[name]) for name in ("n", "c", "h", "w", "oc", "k", "s", "p", "g"))
            yield f"{case['name']}, {way}", f"{numbers} {way}"


class Figures:
    """What the rounds gave for one question: seconds and GFLOP/s of ours, of PyTorch's (if any), and the peak."""

    def __init__(self):
        self.seconds, self.gflops, self.ratios, self.parts, self.peaks = [], [], [], [], []
        self.theirs = []

    def add(self, ours, theirs, peak):
        seconds, macs = ours
        self.seconds.append(seconds)
        self.gflops.append(2e-9 * macs / seconds)
        self.peaks.append(peak)
        self.parts.append(self.gflops[-1] / peak)
        if theirs:
            self.theirs.append(theirs[0])
            self.ratios.append(theirs[0] / seconds)


def measure_questions(rounds, ours, theirs):
    figures = {}
    for _ in range(rounds):
        for name, question in questions():
            reply = theirs.ask(question) if theirs else None
            answer, peak = ours.ask(question), ours.ask("peak")[0]
            figures.setdefault(name, Figures()).add(answer, reply, peak)
    return figures


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0]
    lower, _, upper = statistics.quantiles(values, n=4, method="inclusive")
    return lower, upper


def add_question_row(add_row, name, of, fastest):
    """Where four times PyTorch is more than the core can do at all, the part of its peak is what counts."""
    part, gflops = statistics.median(of.parts), statistics.median(of.gflops)
    note = f"{gflops:.3g} GFLOP/s, {part:.0%} of the peak"
    if not of.ratios:
        add_row(f"convolution {name}", statistics.median(of.seconds) * 1e6, "µs", note=f"{note}; yardstick not installed")
        return
    ratio = statistics.median(of.ratios)
    wanted = TIMES_PYTORCH * gflops / ratio
    possible = wanted <= statistics.median(of.peaks)
    if not possible:
        note += f"; {TIMES_PYTORCH} × would be {wanted:.3g}"
    if fastest:
        note += f"; {statistics.median(fastest.ratios):.3g} × PyTorch with OpenBLAS's fastest kernels"
    add_row(f"convolution {name}", statistics.median(of.seconds) * 1e6, "µs", statistics.median(of.theirs) * 1e6, ratio,
            quartiles(of.ratios), f"≥ {TIMES_PYTORCH} × PyTorch" if possible else f"≥ {PART_OF_PEAK:.0%} of the peak",
            ratio >= TIMES_PYTORCH if possible else part >= PART_OF_PEAK, note)


def add_peak_row(add_row, large, about):
    part = statistics.median(large.parts)
    add_row("convolution large, of the multiply-add peak", statistics.median(large.gflops), "GFLOP/s",
            statistics.median(large.peaks), part, quartiles(large.parts), f"≥ {PART_OF_PEAK:.0%}", part >= PART_OF_PEAK,
            f"PyTorch above with {about}" if about else "")


def add_base64_rows(add_row, rounds, ours, theirs):
    pairs = [(ours.ask(BASE64_QUESTION), theirs.ask(BASE64_QUESTION)) for _ in range(rounds)]
    for at, what in enumerate(("encoded", "decoded")):
        ratios = [own[at] / other[at] for own, other in pairs]
        add_row(f"1 MiB in base64, {what}", statistics.median(own[at] for own, _ in pairs) * 1e6, "µs",
                statistics.median(other[at] for _, other in pairs) * 1e6, statistics.median(ratios), quartiles(ratios),
                "≤ 1 × Python", statistics.median(ratios) <= 1)


def fastest_core(about):
    """OpenBLAS picks old kernels on processors that are newer than itself: what the newest would be called."""
    flags = pathlib.Path("/proc/cpuinfo").read_text() if os.path.exists("/proc/cpuinfo") else ""
    core = "SkylakeX" if "avx512dq" in flags else "Haswell" if "avx2" in flags else None
    picked_well = any(name in about for name in ("SkylakeX", "Cooperlake", "Sapphire", "Zen"))
    return None if picked_well or "OPENBLAS_CORETYPE" in os.environ or core is None or core in about else core


def measure(add_row, program, python, rounds):
    """Rows for every case of conv_cases.json, for the peak and for base64; without `python` only our side."""
    yardstick = [python, HERE / "yardstick_conv.py"]
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(Answering([program]))
        theirs = stack.enter_context(Answering(yardstick, True)) if python else None
        figures = measure_questions(rounds, ours, theirs)
        about, fastest = theirs.about if theirs else "", {}
        if theirs and fastest_core(about):
            with Answering(yardstick, True, OPENBLAS_CORETYPE=fastest_core(about)) as best:
                fastest = measure_questions(min(rounds, 3), ours, best)
        for name, of in figures.items():
            add_question_row(add_row, name, of, fastest.get(name))
        add_peak_row(add_row, figures["large, forward"], about)
        if theirs:
            add_base64_rows(add_row, rounds, ours, theirs)
