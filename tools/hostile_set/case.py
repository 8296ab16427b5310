"""What a hostile case is, and the commands that it is fed to."""
import functools
import io
import os
import pathlib
import random

import numpy as np

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / 'Tests' / 'Fixtures'
PICTURE = FIXTURES / 'images' / 'rgb8.png'
FORMATS = {'legacy-h5': 'h5', 'legacy-weights': 'legacy.h5', 'keras3-weights': 'weights.h5', 'keras': 'keras', 'npz': 'npz',
           'safetensors': 'safetensors'}
# Must appear in no output: what lies in the files that hostile ones point at.
SECRET_NUMBER = 31337.25
SECRET_TEXT = 'h5conv-secret-31337'


class Place:
    """Where one case is made: `folder` is its input folder, `outside` the one that nothing may be written to or read from."""

    def __init__(self, folder, outside, rng):
        self.folder, self.outside, self.rng = pathlib.Path(folder), pathlib.Path(outside), rng

    def write(self, name, data):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return 'in/' + name


class Case:
    """A hostile input. `make(place)` writes its files and gives the runs: lists of arguments of h5conv, with files as `in/…` and results
    as `out/…`."""

    def __init__(self, name, make):
        self.name, self.make = name, make


def model_runs(path, inputs=None, hdf5=True):
    """Every command, on a model file; `inputs` is a `.npz` of inputs."""
    runs = [['inspect', '--weights', path], ['inspect', path], ['inspect', '--json', path], ['check', path], ['check', '--json', path]]
    if hdf5:
        runs.append(['inspect', '--tree', path])
    for name, suffix in FORMATS.items():
        runs.append(['convert', '--to', name, path, 'out/converted.' + suffix])
    picture = str(PICTURE)
    return runs + [
        ['diff', path, path], ['diff', '--json', '--input', picture, path, path],
        ['slice', path, '--outputs', '#1', '-o', 'out/slice.h5'], ['slice', path, '--outputs', '*', '-o', 'out/slice.keras'],
        ['predict', path, picture], ['predict', '--json', path, inputs or picture],
        ['extract', path, inputs or picture, '-l', '*', '-o', 'out/all.npz'],
        ['extract', path, picture, '-l', '*', '-o', 'out/all.h5'],
        ['viz', path, picture, '-l', '*', '-o', 'out/viz'],
        ['viz', path, picture, '-l', '*', '--at', 'pre', '--kernels', '--format', 'svg,pdf,apng', '-o', 'out/figures'],
        ['top', path, picture, '-l', '*', '-o', 'out/top'],
    ]


def some(rng, runs, count):
    """The first run, which looks at everything, and `count` others."""
    return runs[:1] + rng.sample(runs[1:], min(count, len(runs) - 1))


@functools.lru_cache(None)
def inputs_of(model):
    """The inputs of a fixture as bytes of a `.npz`; None when there are none."""
    stem = model.name.split('.')[0]
    for path in (model.with_name(stem + '.npz'), model.with_name(stem.split('_', 1)[-1] + '.npz')):
        if path.exists():
            with np.load(path, allow_pickle=False) as golden:
                arrays = {key[6:]: golden[key] for key in golden.files if key.startswith('input:')}
            if arrays:
                memory = io.BytesIO()
                np.savez(memory, **arrays)
                return memory.getvalue()
    return None


def runs_for(place, fixture, path, count=None, hdf5=True):
    """Runs of a mutated fixture with its own inputs; some of them when `count` is given."""
    data = inputs_of(fixture)
    inputs = place.write('inputs.npz', data) if data else None
    runs = model_runs(path, inputs, hdf5)
    return runs if count is None else some(place.rng, runs, count)


@functools.lru_cache(None)
def fixtures(folder, *suffixes, limit=200_000):
    """Fixture files small enough to be mutated by the thousand."""
    return [path for path in sorted((FIXTURES / folder).iterdir())
            if path.is_file() and path.name.endswith(suffixes) and path.stat().st_size <= limit]


@functools.lru_cache(64)
def contents(path):
    return path.read_bytes()


def seeded(seed, name):
    return random.Random(f'{seed}/{name}')


def make_outside(outside):
    """The files that hostile ones point at, and a plug-in for HDF5 that leaves a trace when it is loaded."""
    import shutil
    import subprocess

    import h5py
    outside = pathlib.Path(outside)
    (outside / 'plugins').mkdir(parents=True)
    secret = np.full((3, 4), SECRET_NUMBER, '<f4')
    (outside / 'secret.raw').write_bytes(secret.tobytes() * 16)
    (outside / 'secret.txt').write_text(SECRET_TEXT + '\n')
    with h5py.File(outside / 'secret.h5', 'w') as file:
        file['data'] = secret
        file.attrs['model_config'] = SECRET_TEXT
    compiler = shutil.which('cc') or shutil.which('clang')
    if compiler:
        source = outside / 'plugins' / 'canary.c'
        source.write_text('#include <fcntl.h>\n__attribute__((constructor)) static void loaded(void) { creat(TRACE, 0600); }\n'
                          'int H5PLget_plugin_type(void) { creat(TRACE, 0600); return 0; }\nconst void *H5PLget_plugin_info(void) { return 0; }\n')
        trace = f'-DTRACE="{outside / "plugin-was-loaded"}"'
        subprocess.run([compiler, '-shared', '-fPIC', trace, str(source), '-o', str(outside / 'plugins' / 'libcanary.so')], check=True)
    return outside
