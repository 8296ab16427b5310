"""Closes the loop in real Keras: converts every container fixture to every kind of file, and every model fixture to whole models, loads
the results and compares outputs.

    python check_conversions.py H5CONV [--with keras|tf_keras] [--only TEXT] [--to FORMAT] [--dtype TYPE]

Prints one line per file that does not load or departs, and the totals; exits with 1 when one that should load does not. What NOT_YET
lists may fail; --all prints that too. Where Keras computes with narrow types, its own outputs count as well.
Keras is that of the Python which runs this: 3, or 2.12 and later. Keras 2 and tf_keras are asked to load only what h5conv wrote in the
form that they share with Keras 3.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings
import zipfile

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', TF_ENABLE_ONEDNN_OPTS='0', CUDA_VISIBLE_DEVICES='-1')
warnings.filterwarnings('ignore')
import h5py
import numpy as np

FIXTURES = pathlib.Path(__file__).parent.parent / 'Tests' / 'Fixtures' / 'containers'
# How far weights of these types move the outputs of the fixtures, at most
ROUNDING = {'float16': 2e-3, 'bfloat16': 2e-2}
# Networks, or single files, that h5conv does not bring into today's form yet.
NOT_YET = {
    'tfk_sizes': 'sizes that the graph computes', 'tfk_local_matrix': 'LocallyConnected',
    'k3_gptq -> legacy-h5': 'Keras cannot run what it loads, of its own file neither', 'k3_awq -> legacy-h5': 'Keras cannot run what it loads, of its own file neither',
    'k3_quantized_attention': 'the config does not say that the parts are quantized',
    'ops_k115': 'pictures resized without half_pixel_centers, as TensorFlow 1 did',
    'tfk_local_1d': 'LocallyConnected', 'tfk_local_2d': 'LocallyConnected', 'tfk_own_code': 'Python code', 'k3_own_code': 'Python code',
    'tfk_resizing': 'interpolations', 'tfk_shape': 'interpolations', 'tfk_functions': 'functions of TensorFlow that Keras 3 has none for',
}
# What Keras 2 cannot read besides: h5py gives it bfloat16 as bytes.
NOT_IN_KERAS2 = {'sequential_bfloat16': 'bfloat16 in HDF5'}
# What TensorFlow does not compute on a CPU; it is loaded all the same.
NOT_ON_CPU = ['conv_first', 'first_1d', 'first_3d', 'transpose_same', 'transpose_valid']
TARGETS = {'legacy-h5': '.h5', 'keras': '.keras', 'legacy-weights': '.h5', 'keras3-weights': '.weights.h5'}


def outputs(library, model, golden, inputs):
    """The model's outputs for the golden inputs, by the names of the layers that give them."""
    names = [tensor.name.split(':')[0].split('/')[0] for tensor in model.inputs]
    known = {inputs.get(key[6:], key[6:]): golden[key] for key in golden.files if key.startswith('input:')}
    values = [known[name] if name in known else list(known.values())[place] for place, name in enumerate(names)]
    result = model(values[0] if len(values) == 1 else values, training=False)
    result = result if isinstance(result, (list, tuple)) else list(result.values()) if isinstance(result, dict) else [result]
    return [np.asarray(value) for value in result]


def departs(results, golden):
    """The worst distance of each result from the nearest golden array of its shape; None when there is none."""
    worst = 0
    for result in results:
        known = [golden[key] for key in golden.files if not key.startswith('input:') and golden[key].shape == result.shape]
        if not known:
            return None
        worst = max(worst, min(float(np.abs(result - array).max() / max(1, np.abs(array).max())) for array in known))
    return worst


def version(path):
    """The version of Keras whose form a whole model is in."""
    if zipfile.is_zipfile(path):
        return json.loads(zipfile.ZipFile(path).read('metadata.json'))['keras_version']
    with h5py.File(path) as file:
        return file.attrs['keras_version']


def models():
    """The model fixtures, as the index of containers has its files; half precision is golden in float32."""
    for path in sorted((FIXTURES.parent / 'models').glob('*.h5')):
        yield {'file': f'../models/{path.name}', 'golden': f'../models/{path.stem}.npz', 'network': path.stem, 'is_model': True,
               'tolerance': 2e-4 if 'float16' in path.stem else 1e-5}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('h5conv')
    parser.add_argument('--with', dest='library', default='keras', choices=['keras', 'tf_keras'])
    parser.add_argument('--only', default='')
    parser.add_argument('--to', default='')
    parser.add_argument('--dtype', default='', help='written as this type: quantized models become floating point')
    parser.add_argument('--all', action='store_true', help='print what NOT_YET lists too')
    arguments = parser.parse_args()
    library = __import__(arguments.library)
    is_keras2 = library.__version__.startswith('2.')  # tf_keras too
    index = json.loads((FIXTURES / 'index.json').read_text())
    good = bad = skipped = unrun = known = 0
    for entry in index['files'] + list(models()):
        if arguments.only not in entry['file'] or not entry.get('golden'):
            continue
        # Keras 3.15 rounds what int8 layers are given, and not what int4 layers are, as 3.12 did: either golden may be right
        goldens = [np.load(FIXTURES / entry[key]) for key in ('golden', 'own_golden') if entry.get(key)]
        is_never_read = is_keras2 and entry['network'] in NOT_IN_KERAS2
        # Another Keras rounds narrow types elsewhere than the one that computed the golden
        roughly = entry.get('own_tolerance', 0) if is_keras2 else 0

        def fails(text):
            nonlocal bad, known
            names = (entry['network'], entry['file'], f'{entry["network"]} -> {target}')
            is_known = is_never_read or any(name in NOT_YET for name in names)
            if is_known:
                known += 1
            else:
                bad += 1
            if arguments.all or not is_known:
                print(text)

        architecture = entry.get('architecture')
        extra = ['--architecture', str(FIXTURES / architecture)] if architecture else []
        extra += ['--dtype', arguments.dtype] if arguments.dtype else []
        with tempfile.TemporaryDirectory() as folder:
            whole = None
            for target, suffix in TARGETS.items():
                if entry.get('is_model') and 'weights' in target:
                    continue
                if arguments.to and target != arguments.to and not (target == 'keras' and 'weights' in arguments.to):
                    continue
                path = f'{folder}/{target}{suffix}'
                run = subprocess.run(
                    [arguments.h5conv, 'convert', str(FIXTURES / entry['file']), path, '--to', target, *extra],
                    capture_output=True, text=True)
                label = f'{entry["file"]} -> {target}'
                if run.returncode:
                    fails(f'REFUSED {label}: {run.stderr.strip()[-300:]}')
                    continue
                try:
                    if target in ('legacy-h5', 'keras') and is_keras2 and version(path)[0] == '3':
                        skipped += 1
                        continue
                    if target in ('legacy-h5', 'keras'):
                        model = whole = library.models.load_model(path)
                    elif whole is None:
                        skipped += 1
                        continue
                    else:
                        model = library.models.clone_model(whole)
                        model.load_weights(path)
                    results = outputs(library, model, goldens[0], entry.get('inputs') or {})
                    found = [departs(results, golden) for golden in goldens]
                    worst = min((distance for distance in found if distance is not None), default=None)
                except Exception as error:
                    is_missing = any(name in entry['network'] for name in NOT_ON_CPU) and type(error).__name__ == 'InvalidArgumentError'
                    if type(error).__name__ == 'UnimplementedError' or is_missing:
                        unrun += 1  # TensorFlow has no channels_first convolution on the CPU; it did load
                        continue
                    text = str(error).strip().split('\n')
                    fails(f'FAILED {label}: {type(error).__name__}: {text[0][:250]} … {text[-1][-150:]} | {run.stderr.strip()[:200]}')
                    continue
                allowed = max(entry['tolerance'], roughly, ROUNDING.get(arguments.dtype, 1e-5))
                if worst is None or not worst <= allowed:
                    fails(f'DEPARTS {label}: {worst}')
                else:
                    good += 1
    print(f'{arguments.library} {library.__version__}: {good} good, {bad} bad, {known} not yet, {skipped} skipped, {unrun} loaded only')
    sys.exit(1 if bad else 0)


if __name__ == '__main__':
    main()
