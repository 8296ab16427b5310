"""Measures the typical error of each family of layers over the model fixtures, as docs/layers.md states it.

    python measure_errors.py H5CONV [FOLDER]

FOLDER is usually Tests/Fixtures/models: models with what Keras computed for every layer. The error of a layer is
max|a - b| / max(1, max|Keras|); families are those of docs/layers.md. Prints the rows of its table.
"""
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def families():
    """{class: family}, from the tables of the page."""
    with open(os.path.join(HERE, '../docs/layers.md')) as file:
        page = file.read()
    found = {}
    for line in page.split('## Layers that are computed')[1].split('\n## ')[0].splitlines():
        row = re.match(r'\| ([^|`]+) \| (`.*) \|', line)
        for name in re.findall(r'`(\w+)`', row[2]) if row else ():
            found.setdefault(name, {'functions as layers': 'functions of tf.keras', 'input': ''}.get(row[1], row[1]))
    return found


def main():
    program, folder = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else os.path.join(HERE, '../Tests/Fixtures/models')
    family, errors = families(), {}
    for name in sorted(os.listdir(folder)):
        if not name.endswith('.h5'):
            continue
        base = os.path.join(folder, name[:-3])
        with open(base + '.json') as file:
            facts = json.load(file)
        classes = {layer['name']: layer['class'] for layer in facts['layers']}
        refused = set(facts.get('not_runnable', ()))
        with np.load(base + '.npz') as arrays:
            inputs = {key[6:]: arrays[key] for key in arrays if key.startswith('input:')}
            golden = {key: arrays[key] for key in arrays if not key.startswith('input:') and key not in refused}
        with tempfile.TemporaryDirectory() as scratch:
            given, out = os.path.join(scratch, 'in.npz'), os.path.join(scratch, 'out.npz')
            np.savez(given, **inputs)
            patterns = '*' if not refused else ','.join(golden)
            subprocess.run([program, 'extract', base + '.h5', given, '-l', patterns, '-o', out, '--quiet', '--preprocess', 'none'], check=True, capture_output=True)
            with np.load(out) as arrays:
                computed = {key: arrays[key] for key in arrays}
        for key, expected in golden.items():
            kind = classes.get(key.split(':')[0].split('@')[0])
            if kind is None or expected.size == 0:      # layers of nested models
                continue
            error = float(np.abs(expected - computed[key]).max() / max(1.0, np.abs(expected).max()))
            errors.setdefault(family.get(kind, 'all else of Keras 3, mostly functions'), []).append((error, f'{name[:-3]}/{key}'))
    print('| family | results | median | worst |\n| --- | --- | --- | --- |')
    for name in dict.fromkeys([*family.values(), *errors]):
        if name in errors:
            worst = max(errors[name])
            print(f'| {name} | {len(errors[name])} | {statistics.median(e for e, _ in errors[name]):.1e} | {worst[0]:.1e} |')
            print(f'  worst of {name}: {worst[1]}', file=sys.stderr)


if __name__ == '__main__':
    main()
