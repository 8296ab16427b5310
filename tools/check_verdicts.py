"""Holds what `h5conv check` says of loading against the real Keras: every fixture, what h5conv converts it to, and every model fixture
saved again as .keras and .h5 by the Keras that made it.

    python check_verdicts.py H5CONV [--with keras|tf_keras] [--only TEXT]

Prints one line per file where the two disagree, and the totals; exits with 1 when there is one. A file that needs Python code of its
own, or that h5conv finds damaged, counts as refused.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', TF_ENABLE_ONEDNN_OPTS='0', CUDA_VISIBLE_DEVICES='-1')
warnings.filterwarnings('ignore')

FIXTURES = pathlib.Path(__file__).parent.parent / 'Tests' / 'Fixtures'
# Findings of files that are no whole models.
NOT_WHOLE = {'no_architecture', 'architecture_is_code'}
READERS = {'keras': 'Keras 3.15', 'tf_keras': 'tf_keras 2.21'}


def files(h5conv, folder, only):
    """The files to look at; each is read before the next is made."""
    import keras
    import tf_keras
    for path in sorted([*FIXTURES.glob('models/*.h5'), *FIXTURES.glob('containers/*.h5'), *FIXTURES.glob('containers/*.keras')]):
        if only not in path.name or path.name.endswith('.weights.h5'):
            continue
        yield path
        for kind in ('.keras', '.h5'):
            converted = folder / (path.stem + '_converted' + kind)
            if subprocess.run([h5conv, 'convert', path, converted, '--quiet'], capture_output=True).returncode == 0:
                yield converted
        library = keras if path.name.startswith('k3_') else tf_keras
        if path.parent.name != 'models' or not path.name.startswith(('k3_', 'tfk_')):
            continue
        try:
            model = library.models.load_model(path, compile=False)
        except Exception:
            continue
        for kind in ('.keras', '.h5'):
            saved = folder / (path.stem + '_again' + kind)
            try:
                model.save(saved)
            except Exception:
                continue
            yield saved


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('h5conv')
    parser.add_argument('--with', dest='library', choices=sorted(READERS), default='keras')
    parser.add_argument('--only', default='')
    arguments = parser.parse_args()
    reader = __import__(arguments.library)
    right = wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in files(arguments.h5conv, pathlib.Path(folder), arguments.only):
            done = subprocess.run([arguments.h5conv, 'check', '--json', path], capture_output=True, text=True)
            if not done.stdout:
                continue  # nothing that check reads
            report = json.loads(done.stdout)
            codes = {finding['code'] for finding in report['findings']}
            if codes & NOT_WHOLE:
                continue
            says = report['good'] and READERS[arguments.library] not in report['refused_by']
            try:
                reader.models.load_model(path, compile=False)
                loads, reason = True, ''
            except Exception as error:
                loads, reason = False, ' '.join(str(error).split())[-160:]
            if says == loads:
                right += 1
            else:
                wrong += 1
                print(f'{path.name}: check says {says}, {arguments.library} {loads} {reason} {sorted(codes)}', flush=True)
    print(f'{arguments.library} {reader.__version__}: {right} right, {wrong} wrong')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
