"""Would solving the spectrum each hop make brightness, boominess and noisiness obey? A probe, no training.

    python benchmarks/construction_probe.py NAME CORPUS [--ways as-is,centred,…] [--limit 5] [--seconds 2]

A trained decoder's two raw sources, pulse train h and noise n, get three corrections a hop, in nepers,

    log gain(f) = a tilt(f) + b shelf(f)   of both,       c   of the noise alone,
    tilt = log2((f + 50) / 1000) / 4,  shelf = 1 / (1 + (f / 300)^4),

chosen by three damped Gauss-Newton steps so that the instrument's own descriptors of the corrected spectrum
equal the asked controls (least squares in control units, 0.01 of each parameter squared added, |a| <= 6,
|b|, |c| <= 4). A flat gain then restores the raw level; the gain stage stays last. The ways differ in the
spectrum they solve on:

    as-is      no correction: the instrument as it is
    centred    the raw sources' own spectrum in windows centred on the frame. No live instrument can know it:
               it shows what these three corrections could do
    lagged     the same windows ending with the frame: known live, 23 and 46 ms old
    predicted  harmonics from envelope and f0, noise from its last 46 ms, moved by the change of its gains
    observed   predicted, and the request less the slow (70 ms) difference between measured and predicted
    servo      no spectrum: the request plus an integral (0.3 s, bounded, held in silence) of its own error

The corrections are smoothed over nine centred frames, so that even the live ways look four frames ahead.
Scored by learn.measure on short excerpts: own curves, three requests with one control moved, three with all.
Each line is the running score up to that excerpt. Donors and rows are the same for every way in one call.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from neurorack.core.library import find
from neurorack.core.noise import white
from neurorack.core.nrk import Archive, read_nrk
from neurorack.core.timebase import HOP
from neurorack.learn.corpus.corpus import Corpus
from neurorack.learn.descriptors.boominess import Boominess
from neurorack.learn.descriptors.brightness import Brightness
from neurorack.learn.descriptors.frames import Frames, FrameTables
from neurorack.learn.descriptors.noisiness import Noisiness
from neurorack.learn.measure import excerpts
from neurorack.learn.measure.asking import Request, requests_for, unmoved
from neurorack.learn.measure.control import ControlScore, Yardstick
from neurorack.learn.measure.reconstruction import mstft_distance
from neurorack.learn.measure.render import Renderer
from neurorack.learn.measure.score import prepare_sources
from neurorack.learn.measure.subject import Source, Vocabulary
from neurorack.learn.model import decoder as parts
from neurorack.learn.model.envelope import _points_hz
from neurorack.learn.model.streaming import Tape, has_begun, interpolate_frames, with_past
from neurorack.learn.train.counterfactual import Measuring
from neurorack.learn.train.origin import load_model

WAYS = ("as-is", "centred", "lagged", "predicted", "observed", "servo")
SOLVED = ("brightness", "boominess", "noisiness")
EVERY = 8
"""Frames between two solutions; between them, straight lines smoothed over nine frames."""

OWN_LAGS = (8, 8, 17)
"""Frames from the asking of each of SOLVED to its standing in the measurement."""

SILENCE_DB, DAMPING, STEP, SERVO_S, OBSERVED_FRAMES = -60.0, 0.01, 0.15, 0.3, 24
BOUND = torch.tensor([6.0, 4.0, 4.0])


class Given(Frames):
    """Frames whose power spectrum is known and whose audio is not."""

    def __init__(self, power: Tensor, tables: FrameTables) -> None:
        self.tables, self.sample_rate, self.freqs_hz = tables, tables.sample_rate, tables.freqs_hz
        self.__dict__["power"] = power


def shapes(freqs_hz: np.ndarray) -> Tensor:
    """tilt(f) and shelf(f), [2, F]."""
    f = torch.as_tensor(freqs_hz, dtype=torch.float32)
    tilt = torch.log2((f + 50.0) / 1000.0).clamp(-4, 4) / 4
    return torch.stack([tilt, 1.0 / (1.0 + (f / 300.0) ** 4)])


def between(at: np.ndarray, knots: np.ndarray) -> Tensor:
    """Matrix [knots, at] of linear interpolation."""
    return torch.from_numpy(np.stack([np.interp(at, knots, row) for row in np.eye(len(knots))])).float()


def powers(h: Tensor, n: Tensor, tables: FrameTables) -> list[Tensor]:
    """Windows [N, W] of both sources -> powers of h and of n and twice their cross power, each [N, F]."""
    a, b = torch.fft.rfft(h * tables.hann), torch.fft.rfft(n * tables.hann)
    rows = (a.abs().square(), b.abs().square(), 2 * (a * b.conj()).real)
    return [row * tables.scale for row in rows]


class Solver:
    """Corrections that bring the descriptors of a spectrum to what is asked."""

    def __init__(self, archive: Archive) -> None:
        m = archive.manifest
        rate, names = m.sample_rate, [c.name for c in m.controls]
        self.rows = [names.index(n) for n in SOLVED]
        self.fast, self.slow = FrameTables(rate, 2048), FrameTables(rate, 4096)
        self.descriptors = Brightness(rate), Boominess(rate), Noisiness(rate)
        self.measuring = Measuring([m.controls[i].normaliser for i in self.rows])
        self.shapes = shapes(self.fast.freqs_hz.numpy()), shapes(self.slow.freqs_hz.numpy())

    def controls(self, fast: Frames, slow: Frames) -> Tensor:
        """Frames [N, 1, …] -> brightness, boominess and noisiness as controls [N, 3]."""
        brightness, boominess, noisiness = self.descriptors
        return self.measuring(torch.cat([brightness(fast), boominess(fast), noisiness(slow)], 1))[:, :, 0]

    def describe(self, p: Tensor, fast: list[Tensor], slow: list[Tensor]) -> Tensor:
        """Corrections [N, 3] of these spectra -> controls [N, 3]."""
        noise = torch.exp(p[:, 2:])
        found = []
        for rows, shape, tables in zip((fast, slow), self.shapes, (self.fast, self.slow), strict=True):
            power = (rows[0] + noise * noise * rows[1] + noise * rows[2]).clamp_min(0)
            found.append(Given((power * torch.exp(2 * (p[:, :2] @ shape)))[:, None], tables))
        return self.controls(*found)

    def solve(self, fast: list[Tensor], slow: list[Tensor], asked: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Corrections [N, 3], and the controls predicted without and with them."""
        count = len(asked)
        p = torch.zeros(count, 3)
        value = before = self.describe(p, fast, slow)
        cost = (value - asked).square().sum(1)
        caution = torch.ones(count, 1, 1)
        for _ in range(3):
            moves = torch.eye(3) * STEP
            slope = torch.stack([(self.describe(p + e, fast, slow) - value) / STEP for e in moves], 2)
            normal = slope.transpose(1, 2) @ slope + DAMPING * (1 + caution) * torch.eye(3)
            pull = (slope.transpose(1, 2) @ (asked - value)[:, :, None])[:, :, 0] - DAMPING * p
            tried = p + torch.linalg.solve(normal, pull).clamp(-1.5, 1.5)
            tried = torch.minimum(torch.maximum(tried, -BOUND), BOUND)
            reached = self.describe(tried, fast, slow)
            spent = (reached - asked).square().sum(1) + DAMPING * tried.square().sum(1)
            better = spent < cost
            p, value = torch.where(better[:, None], tried, p), torch.where(better[:, None], reached, value)
            cost = torch.where(better, spent, cost)
            caution = torch.where(better[:, None, None], caution * 0.3, caution * 10)
        return p, before, value


class Corrected(Renderer):
    """A renderer whose decoder runs in torch and is corrected in one of WAYS."""

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive)
        self.decoder = load_model(archive).decoder
        self.solver = Solver(archive)
        self.way = "as-is"
        self.errors: list[list[float]] | None = None
        self._prepare_prediction()

    def _prepare_prediction(self) -> None:
        s, rate = self.solver, self.manifest.sample_rate
        random = torch.Generator().manual_seed(3)

        def ripple(tables: FrameTables) -> Tensor:
            power = torch.fft.rfft(torch.randn(tables.window, generator=random) * tables.hann).abs().square()
            return power / power.mean()

        # One fixed draw of white noise: a smooth spectrum would be flatter than noise ever measures.
        self.ripples = ripple(s.fast), ripple(s.slow)
        rows = np.linspace(np.log1p(0.00437 * 40), np.log1p(0.00437 * rate / 2), 28)
        centres = np.expm1(rows) / 0.00437
        self.spread = between(s.fast.freqs_hz.numpy(), centres), between(s.slow.freqs_hz.numpy(), centres)
        self.pool = (self.spread[0] / self.spread[0].sum(1, keepdim=True).clamp_min(1e-9)).T
        self.from_bands = between(centres, (np.arange(parts.BANDS) + 0.5) * rate / (2 * parts.BANDS))
        self.points = shapes(_points_hz(rate))

    @torch.no_grad()
    def render_batch(self, z, asked, seed=0):  # type: ignore[no-untyped-def]
        m, frames = self.manifest, z.shape[2]
        physical = np.stack(
            [
                [np.pad(r[c.name], (m.latency_frames, 0), mode="edge")[:frames] for c in m.controls]
                for r in asked
            ]
        ).astype(np.float32)
        controls = np.stack([c.normaliser.to_control(physical[:, i]) for i, c in enumerate(m.controls)], 1)
        level = torch.from_numpy(physical[:, [m.control_index("loudness")]])
        f0 = torch.from_numpy(physical[:, [m.control_index("pitch")]])
        noise = torch.from_numpy(white(seed, 0, HOP * frames)).float().repeat(len(asked), 1)
        codes = torch.from_numpy(np.ascontiguousarray(z, dtype=np.float32))
        c = torch.from_numpy(controls.astype(np.float32))
        if self.way == "servo":
            audio = self._servo(codes, c, level, f0, noise)
        elif self.way == "as-is":
            audio = self.decoder.offline(codes, c, level, f0, noise)
        else:
            audio = self._corrected(codes, c, level, f0, noise)
        return audio[:, m.latency_frames * HOP :].numpy()

    def _corrected(self, z: Tensor, c: Tensor, level: Tensor, f0: Tensor, noise: Tensor) -> Tensor:
        """Decoder.run up to the sources, the correction, and the gain stage."""
        d, tape = self.decoder, Tape(None, None)
        begun = has_begun(z, tape)
        features = d.control(z, c, tape, begun)
        shape = interpolate_frames(d.head(features), parts.STEPS, tape, begun)
        source_log, out_log, gains = shape.split([parts.BANDS, parts.BANDS, d.stack.gains], dim=1)
        change = features - with_past(features, 1, tape, begun)[..., :-1]
        attack = d.attack(change).unflatten(1, (parts.BANDS, parts.STEPS)).transpose(2, 3).flatten(2)
        bands = noise.reshape(z.shape[0], -1, parts.BANDS).transpose(1, 2)
        n = d.pqmf.synthesise(d.stack(bands, source_log + attack, out_log, gains, tape), tape)
        envelope = d.envelope(features).clamp(parts.LOWEST, parts.HIGHEST)
        pulse = d.pulse(f0, tape)
        h = d.filter(pulse, envelope, tape)
        logs = (source_log + out_log)[..., parts.STEPS - 1 :: parts.STEPS]
        solved, before, after = [], [], []
        for b in range(len(h)):
            p, first, last = self._solve(h[b], n[b], envelope[b].T, logs[b], f0[b, 0], c[b], level[b, 0])
            solved.append(p.T), before.append(first), after.append(last)
        self.errors = [torch.cat(before).mean(0).tolist(), torch.cat(after).mean(0).tolist()]
        p = functional.interpolate(torch.stack(solved), scale_factor=EVERY, mode="linear")[..., : z.shape[2]]
        hann = torch.hann_window(11, periodic=False)[1:-1]
        padded = functional.pad(p, (4, 4), mode="replicate").flatten(0, 1).unsqueeze(1)
        p = functional.conv1d(padded, (hann / hann.sum()).reshape(1, 1, -1)).reshape(len(h), 3, -1)
        both = torch.einsum("bkt,kf->bft", p[:, :2], self.points)
        early = functional.pad(n, (0, HOP))[:, HOP:]  # the filter delays by a frame
        moved = d.filter(pulse, envelope + both, tape) + d.filter(early, both + p[:, 2:], tape)
        flat = 0.5 * torch.log(_level(h + n) / _level(moved))
        return d.gain(moved * torch.exp(interpolate_frames(flat, HOP, tape)[:, 0]), level, f0, tape)

    def _solve(
        self, h: Tensor, n: Tensor, envelope: Tensor, logs: Tensor, f0: Tensor, c: Tensor, level: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Corrections [K, 3] of one item; absolute errors before and after, where it sounds."""
        s, frames = self.solver, len(h) // HOP
        at = torch.arange(0, frames, EVERY)
        lead = (8, 16) if self.way == "centred" else (0, 0)

        def windows(x: Tensor, window: int, lead: int) -> Tensor:
            padded = functional.pad(x, (window - HOP, lead * HOP))[lead * HOP :]
            return padded.unfold(0, window, HOP * EVERY)[: len(at)]

        fast = powers(windows(h, 2048, lead[0]), windows(n, 2048, lead[0]), s.fast)
        slow = powers(windows(h, 4096, lead[1]), windows(n, 4096, lead[1]), s.slow)
        level = level[at]
        asked = c[s.rows][:, at].T
        if self.way in ("predicted", "observed"):
            measured = s.describe(torch.zeros(len(at), 3), *_scaled(fast, slow, level, whole=True))
            fast, slow = self._predict(fast[1], envelope[at], logs, f0[at], at)
        fast, slow = _scaled(fast, slow, level)
        sounding = (level > SILENCE_DB)[:, None]
        if self.way == "observed":
            ago = functional.pad(
                s.describe(torch.zeros(len(at), 3), fast, slow).T[None], (2, 0), mode="replicate"
            )
            then = torch.stack([ago[0, 0, 1:-1], ago[0, 1, 1:-1], ago[0, 2, :-2]], 1)
            surprise = torch.where(sounding, measured - then, torch.zeros(1)).clamp(-0.7, 0.7)
            slowly, standing = [], torch.zeros(3)
            for row in surprise:
                standing = standing + EVERY / OBSERVED_FRAMES * (row - standing)
                slowly.append(standing)
            asked = asked - torch.stack(slowly)
        p, first, last = s.solve(fast, slow, asked)
        keep = sounding[:, 0]
        return (
            torch.where(sounding, p, torch.zeros(1)),
            (first - asked)[keep].abs(),
            (last - asked)[keep].abs(),
        )

    def _predict(
        self, noise: Tensor, envelope: Tensor, logs: Tensor, f0: Tensor, at: Tensor
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Spectra a standing sound of this envelope, f0 and noise would have in both windows."""
        before = functional.pad(logs[None], (8, 0), mode="replicate")[0, :, : logs.shape[1]]
        change = torch.exp(2 * (logs - before)[:, at].clamp(-3, 3)).T @ self.from_bands
        bands = (noise @ self.pool) * change
        found = []
        tables = (self.solver.fast, self.solver.slow)
        for t, spread, ripple in zip(tables, self.spread, self.ripples, strict=True):
            power = (bands @ spread) * ripple * (2048 / t.window)
            found.append([self._comb(t, envelope, f0[:, None]), power, torch.zeros_like(power)])
        return found[0], found[1]

    def _comb(self, tables: FrameTables, envelope: Tensor, f0: Tensor) -> Tensor:
        """Power [K, F] of the filtered pulse train under a Hann window: each line its nearest bins."""
        rate, f = self.manifest.sample_rate, tables.freqs_hz
        harmonic, top = torch.round(f / f0).clamp_min(1), (0.48 * rate / f0).floor()
        d = ((f - harmonic * f0) * tables.window / rate).abs()
        main = torch.sinc(d) / (1 - d * d + 1e-4 * ((d - 1).abs() < 1e-4))
        line = torch.where(d < 3, main * main, torch.zeros(1)) / 1.5 * (harmonic <= top)
        return torch.exp(2 * (envelope @ between(f.numpy(), _points_hz(rate)))) * line / top

    def _servo(self, z: Tensor, c: Tensor, level: Tensor, f0: Tensor, noise: Tensor) -> Tensor:
        """The decoder step by step, its request corrected by the integral of its own measured error."""
        d, s = self.decoder, self.solver
        state, past, add = (
            torch.zeros(len(z), d.state_size),
            torch.zeros(len(z), 4096),
            torch.zeros(len(z), 3),
        )
        out = []
        for t in range(0, z.shape[2], EVERY):
            e = min(t + EVERY, z.shape[2])
            asked = c[:, :, t:e].clone()
            asked[:, s.rows] = (asked[:, s.rows] + add[:, :, None]).clamp(-1.15, 1.15)
            inputs = (z[:, :, t:e], asked, level[:, :, t:e], f0[:, :, t:e], noise[:, t * HOP : e * HOP])
            audio, state = d.step(*inputs, state=state)
            out.append(audio)
            past = torch.cat([past, audio], 1)[:, -4096:]
            heard = s.controls(Frames(past[:, None, -2048:], s.fast), Frames(past[:, None], s.slow))
            want = torch.stack([c[:, r, max(e - 1 - k, 0)] for r, k in zip(s.rows, OWN_LAGS, strict=True)], 1)
            sounds = (level[:, 0, max(0, e - OWN_LAGS[2]) : e] > SILENCE_DB + 5).all(1)[:, None]
            step = (want - heard).clamp(-0.6, 0.6) * (EVERY * HOP / self.manifest.sample_rate / SERVO_S)
            add = torch.where(sounds, (add + step).clamp(-0.6, 0.6), add * 0.98)
        return torch.cat(out, 1)


def _scaled(
    fast: list[Tensor], slow: list[Tensor], level: Tensor, whole: bool = False
) -> tuple[list[Tensor], list[Tensor]]:
    """Spectra brought to the asked level (the descriptors have small absolute rest terms)."""
    total = fast[0] + fast[1] + (fast[2] if whole else 0)
    gain = 10 ** (level / 10)[:, None] / total.sum(1, keepdim=True).clamp_min(1e-6)
    return [x * gain for x in fast], [x * gain for x in slow]


def _level(x: Tensor) -> Tensor:
    """Power of [B, 128 T] over 16 frames, Hann, centred: [B, 1, T]."""
    hann = torch.hann_window(18, periodic=False)[1:-1]
    power = x.reshape(len(x), 1, -1, HOP).square().mean(-1)
    return functional.conv1d(functional.pad(power, (8, 7)), (hann / hann.sum()).reshape(1, 1, -1)).clamp_min(
        1e-9
    )


def asked_of(index: int, sources: list[Source], vocabulary: Vocabulary) -> list[Request]:
    """The source's own curves, three requests with one control moved, three with all."""
    one = {("steps", "brightness"), ("steps", "noisiness"), ("walk", "boominess")}
    requests = requests_for(index, sources, vocabulary, 0)
    kept = [r for r in requests if r.kind == "all" or (r.kind, r.moved[0]) in one]
    return [unmoved(sources[index]), *kept]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--limit", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    excerpts.SECONDS = options.seconds
    archive, corpus = read_nrk(find(options.name)), Corpus.open(options.corpus)
    renderer = Corrected(archive)
    found = excerpts.excerpts_of_corpus(corpus, "test", options.limit, 0)
    vocabulary, sources = prepare_sources(archive, renderer, found)
    yardstick, ways = Yardstick.of(sources, vocabulary), options.ways.split(",")
    scores = {way: ControlScore(vocabulary, yardstick, 0) for way in ways}
    distances: dict[str, list[float]] = {way: [] for way in ways}
    for index, source in enumerate(sources):
        requests = asked_of(index, sources, vocabulary)
        for way in ways:
            started, renderer.way, renderer.errors = time.process_time(), way, None
            answers = np.nan_to_num(renderer.render(source.z, [r.asked for r in requests], 0))
            cpu_s = time.process_time() - started
            scores[way].add(index, source, requests, [vocabulary.listen(a) for a in answers])
            distances[way].append(mstft_distance(source.excerpt.audio, answers[0]))
            print(
                json.dumps(_line(way, index, scores[way], distances[way], renderer.errors, cpu_s)), flush=True
            )


def _line(
    way: str,
    index: int,
    score: ControlScore,
    distances: list[float],
    errors: list[list[float]] | None,
    cpu_s: float,
) -> dict[str, object]:
    """Running figures: [mean, loudness, brightness, boominess, noisiness] of each mode."""
    summary = score.summary()
    line: dict[str, object] = {"way": way, "excerpts": index + 1}
    for mode in ("one", "all", "raw"):
        rows = summary["control"][mode]
        ranks = [rows["mean"], *(rows[n]["rank"] for n in score.vocabulary.scored)]
        line[mode] = [None if r is None else round(float(r), 3) for r in ranks]
    leakage = summary["leakage"]["mean"]
    line |= {"leakage": leakage and round(leakage, 3), "mstft": round(float(np.mean(distances)), 3)}
    if errors is not None:
        line["error_before_after"] = np.round(errors, 3).tolist()
    return {**line, "cpu_s": round(cpu_s, 2)}


if __name__ == "__main__":
    main()
