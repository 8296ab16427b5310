"""Compares every layer of the networks of keras.applications with Keras.

    python compare_applications.py H5CONV [--writer tfk|k3] [--smallest] [--size PIXELS] [family or network ...]

Builds each network with tf_keras and with Keras 3 with seeded weights (fixtures/applications.py), saves it (.h5; Keras 3 also
.keras), has Keras and h5conv compute every layer, and prints the worst max|a − b| / max(1, max|Keras|) of each network and
family. Exit code 1 when one is above 1e-4 or could not be compared. The largest networks need some 6 GB of memory.
"""
import argparse
import os
import subprocess
import sys
import tempfile

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', CUDA_VISIBLE_DEVICES='-1', KERAS_BACKEND='tensorflow')
sys.dont_write_bytecode = True

import numpy as np

from fixtures.applications import FAMILIES, build, picture
from fixtures.harness import Writer
from fixtures.outputs import layer_outputs

TOLERANCE = 1e-4


def error(golden, other):
    if golden.shape != other.shape or not np.isfinite(other).all():
        return float('inf')
    return float(np.abs(golden - other).max() / max(1.0, np.abs(golden).max())) if golden.size else 0.0


def computed(program, path, folder, given):
    out = os.path.join(folder, 'out.npz')
    done = subprocess.run([program, 'extract', path, given, '-l', '*', '-o', out, '--force', '--quiet', '--preprocess', 'none'],
                          capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[:300])
    with np.load(out) as arrays:
        return {key: arrays[key] for key in arrays}


def compare(program, writer, name, size):
    """The worst error over all layers and containers, and what to print."""
    model = build(writer.keras, name, size)
    x = picture(size)
    golden = {key: np.asarray(value, 'float32') for key, value in layer_outputs(model, [x]).items()}
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        given = os.path.join(folder, 'x.npy')
        np.save(given, x)
        for ending in ('.h5', '.keras') if writer.k3 else ('.h5',):
            path = os.path.join(folder, name + ending)
            model.save(path)
            results = computed(program, path, folder, given)
            os.remove(path)
            errors = {key: error(value, results[key]) if key in results else float('inf') for key, value in golden.items()}
            place = max(errors, key=errors.get)
            print(f'{writer.prefix} {name}{ending}: {len(golden)} layers, worst {errors[place]:.1e} at {place}', flush=True)
            worst = max(worst, errors[place])
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('h5conv')
    parser.add_argument('--writer', choices=['k3', 'tfk'], action='append')
    parser.add_argument('--smallest', action='store_true', help='only the smallest network of each family')
    parser.add_argument('--size', type=int, default=96, help='pixels of the pictures, where the network takes them')
    parser.add_argument('networks', nargs='*')
    arguments = parser.parse_args()
    failed, families = False, {}
    for prefix in arguments.writer or ['tfk', 'k3']:
        writer = Writer(prefix)
        for family, (members, least) in FAMILIES.items():
            wanted = [m for m in members if not arguments.networks or family in arguments.networks or m in arguments.networks]
            for name in wanted[:1] if arguments.smallest else wanted:
                if not hasattr(writer.keras.applications, name):
                    print(f'{prefix} {name}: this Keras has none', flush=True)
                    continue
                try:
                    worst = compare(arguments.h5conv, writer, name, max(least, arguments.size))
                except Exception as problem:
                    print(f'{prefix} {name}: {type(problem).__name__}: {problem}', flush=True)
                    worst = float('inf')
                failed |= worst > TOLERANCE
                families[family] = max(families.get(family, 0.0), worst)
    print('\nfamily, worst error')
    for family, worst in families.items():
        print(f'{family:20} {worst:.1e}')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
