"""Makes the hostile set as files: mutations of the fixtures, bombs, links, lies, names. Needs h5py and NumPy, never Keras.

    python make_hostile_files.py FOLDER [--seed N] [--count MUTATIONS] [--only TEXT]

The same seed gives the same files in the same folder. `commands.txt` in each case's folder says what tools/hostile runs on it.
"""
import argparse
import pathlib
import shlex

from hostile_set import cases
from hostile_set.case import Place, make_outside, seeded

if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('folder', type=pathlib.Path)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--count', type=int, default=1000)
    parser.add_argument('--only', default='')
    options = parser.parse_args()
    root = options.folder.resolve()
    root.mkdir(parents=True)
    outside = make_outside(root / 'outside')
    number = 0
    for case in cases(options.count):
        if options.only not in case.name:
            continue
        place = root / case.name
        for name in ('in', 'out'):
            (place / name).mkdir(parents=True)
        runs = case.make(Place(place / 'in', outside, seeded(options.seed, case.name)))
        (place / 'commands.txt').write_text(''.join(shlex.join(['h5conv', *run]) + '\n' for run in runs), errors='surrogateescape')
        number += 1
    print(f'{number} cases in {root}')
