"""Compares models of random layers, options and graphs with Keras, every layer of each.

    python compare_random_models.py H5CONV [--writer k3|tfk] [--seed FIRST] [--count N] [--keep FOLDER] [--policy float16] [--channels-first]

Each seed is one model (fixtures/random_graphs.py): layers of one to three spatial axes with random options, merges, operations, shared
layers, nested models, several inputs and outputs, sometimes channels first. It is saved as .h5, .keras and .weights.h5 with the
architecture's JSON; h5conv computes every layer of each, and its shapes and counts of parameters are held against Keras' own.
Prints what departs or is refused, and for what departs whether Keras, having loaded the file, departs too; --keep copies those models to a folder.
Exit code 1 when one departs. KERAS_BACKEND=jax computes channels first; TensorFlow on a CPU cannot, and such layers are left out.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', CUDA_VISIBLE_DEVICES='-1', TF_USE_LEGACY_KERAS='1')
os.environ.setdefault('KERAS_BACKEND', 'tensorflow')
sys.dont_write_bytecode = True
warnings.filterwarnings('ignore')

import numpy as np

from compare_with_keras import patient, scaled_error
from fixtures.harness import Writer, randomise
from fixtures.outputs import described, graph_of, input_names, layer_outputs
from fixtures.random_graphs import random_model

TOLERANCE = 1e-4


def run(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f'exit {done.returncode}: {done.stderr.strip()[-300:]}')
    return done.stdout


def feeds_for(model, seed):
    numbers = np.random.default_rng(seed)
    feeds = []
    for name, tensor in zip(input_names(model), graph_of(model).inputs):
        shape = [size or 2 for size in tensor.shape]
        value = numbers.integers(0, 7, shape).astype('float32') if name == 'words' else numbers.uniform(-1.5, 1.5, shape).astype('float32')
        feeds.append(value)
    return feeds


def golden_of(model, feeds):
    results = layer_outputs(model, feeds, evaluate=patient)
    return {name: None if value is None else np.asarray(value).astype('float32') for name, value in results.items()}


def saved(writer, model, folder):
    """{container: (arguments of h5conv, path)}"""
    forms = {}
    for ending in ('.h5', '.keras'):
        path = os.path.join(folder, 'model' + ending)
        try:
            model.save(path)
            forms[ending] = [path]
        except Exception as error:
            forms[ending] = f'{type(error).__name__}: {str(error)[:100]}'
    architecture, weights = os.path.join(folder, 'model.json'), os.path.join(folder, 'model.weights.h5')
    try:
        with open(architecture, 'w') as file:
            file.write(model.to_json())
        model.save_weights(weights)
        forms['.weights.h5'] = [weights, '--architecture', architecture]
    except Exception as error:
        forms['.weights.h5'] = f'{type(error).__name__}: {str(error)[:100]}'
    return forms


def differences(golden, ours):
    """[(name, error)] of what departs, the layers that come first in front; the worst error of the rest."""
    found, worst = [], 0.0
    for name, value in golden.items():
        if value is None:
            continue
        if name not in ours:
            found.append((name, 'absent'))
        else:
            error = scaled_error(value, ours[name])
            if error > TOLERANCE:
                found.append((name, f'{error:.1e} {value.shape} {ours[name].shape}'))
            else:
                worst = max(worst, error)
    found += [(name, 'not in Keras') for name in ours if name not in golden]
    return found, worst


def shapes(program, arguments, facts, golden):
    """What inspect says otherwise than Keras, but for what Keras does not compute."""
    told = json.loads(run(program, 'inspect', *arguments, '--json'))
    theirs = {layer['name']: layer for layer in facts['layers']}
    found = []
    for layer in told['layers']:
        keras = theirs.get(layer['name'])
        if keras and golden.get(layer['name'], '') is not None and (layer['output_shape'], layer['params']) != (keras['output_shape'], keras['params']):
            found.append(f"{layer['name']}: {layer['output_shape']} {layer['params']}, Keras {keras['output_shape']} {keras['params']}")
    if all(value is not None for value in golden.values()):
        found += [f'{key}: {told[key]}, Keras {facts[key]}' for key in ('total_params', 'trainable_params') if told[key] != facts[key]]
    return found


def keras_departs(writer, path, feeds, golden):
    try:
        again = golden_of(writer.load(path), feeds)
    except Exception as error:
        return f'Keras does not load it: {type(error).__name__}: {str(error).strip().splitlines()[0][:120] if str(error).strip() else ""}'
    bad = [name for name, value in golden.items() if value is not None and (again.get(name) is None or scaled_error(value, again[name]) > TOLERANCE)]
    return f'Keras departs too: {bad[:5]}' if bad else 'Keras loads it and agrees'


def check(program, writer, seed, policy, channels_first, folder):
    """(lines of what departs, worst error, number of layers)"""
    if policy == 'float32':
        model = random_model(writer, seed, channels_first)
        randomise(model, seed)
        feeds = feeds_for(model, seed)
        golden = golden_of(model, feeds)
    else:
        k = writer.keras
        twin = random_model(writer, seed, channels_first)
        (k.mixed_precision.set_global_policy if not writer.k3 else k.config.set_dtype_policy)(policy)
        try:
            model = random_model(writer, seed, channels_first)
        finally:
            (k.mixed_precision.set_global_policy if not writer.k3 else k.config.set_dtype_policy)('float32')
        randomise(model, seed)
        twin.set_weights([np.asarray(w, 'float32') for w in model.get_weights()])
        for layer in twin._flatten_layers():
            if hasattr(layer, 'finalize_state'):
                layer.finalize_state()
        feeds = feeds_for(twin, seed)
        golden = golden_of(twin, feeds)
    facts = described(model)
    given = os.path.join(folder, 'input.npy' if len(feeds) == 1 else 'input.npz')
    np.save(given, feeds[0]) if len(feeds) == 1 else np.savez(given, **dict(zip(input_names(model), feeds)))
    lines, worst = [], 0.0
    if all(value is None for value in golden.values()):
        raise ValueError('Keras computes none of its layers')
    for container, arguments in saved(writer, model, folder).items():
        if isinstance(arguments, str):
            lines.append(f'  ({container}: Keras does not save it: {arguments})')
            continue
        wanted = '*' if all(value is not None for value in golden.values()) else ','.join(name for name, value in golden.items() if value is not None)
        try:
            for line in shapes(program, arguments, facts, golden):
                lines.append(f'  {container} inspect: {line}')
            out = os.path.join(folder, 'out.npz')
            run(program, 'extract', arguments[0], given, *arguments[1:], '-l', wanted, '-o', out, '--force', '--quiet', '--preprocess', 'none')
            with np.load(out) as arrays:
                found, good = differences(golden, {key: arrays[key] for key in arrays})
            worst = max(worst, good)
            if found:
                lines.append(f'  {container}: {len(found)} depart: {found[:4]}')
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            lines.append(f'  {container}: {error}')
    # What is told to be not supported is no wrong answer.
    hard = [line for line in lines if not line.startswith('  (') and ': exit 69: ' not in line]
    if any(': exit 69: ' in line for line in lines) and all(' inspect: ' in line for line in hard):
        raise NotImplementedError(next(line for line in lines if ': exit 69: ' in line).split(': exit 69: ')[1])
    if hard:
        path = os.path.join(folder, 'model.h5' if '.h5' in hard[0] and os.path.exists(os.path.join(folder, 'model.h5')) else 'model.keras')
        lines.append('  ' + keras_departs(writer, path, feeds, golden))
    return lines if hard else [], worst, len(golden)


def one_by_one(arguments):
    """Checks the seeds in this process, which a crash of TensorFlow may end; a line of JSON for each."""
    writer = Writer(arguments.writer)
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        print(json.dumps({'seed': seed}), flush=True)
        with tempfile.TemporaryDirectory() as folder:
            try:
                lines, error, count = check(arguments.h5conv, writer, seed, arguments.policy, arguments.channels_first, folder)
            except NotImplementedError as problem:
                print(json.dumps({'seed': seed, 'refused': str(problem)}), flush=True)
                continue
            except Exception as problem:        # Keras could not make the model, or not compute it
                print(json.dumps({'seed': seed, 'none': f'{type(problem).__name__}: {str(problem)[:150]}'}), flush=True)
                continue
            if lines and arguments.keep:
                kept = os.path.join(arguments.keep, f'{arguments.writer}_{seed}')
                shutil.rmtree(kept, ignore_errors=True)
                shutil.copytree(folder, kept)
        print(json.dumps({'seed': seed, 'lines': lines, 'error': error, 'layers': count}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('h5conv')
    parser.add_argument('--writer', choices=['k3', 'tfk'], default='k3')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--count', type=int, default=100)
    parser.add_argument('--policy', default='float32')
    parser.add_argument('--channels-first', action='store_true', help='all of them, instead of some')
    parser.add_argument('--keep', metavar='FOLDER')
    parser.add_argument('--here', action='store_true', help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        return one_by_one(arguments)
    good = bad = refused = none = layers = 0
    worst, seed, end = 0.0, arguments.seed, arguments.seed + arguments.count
    while seed < end:
        command = [sys.executable, os.path.abspath(__file__), arguments.h5conv, '--writer', arguments.writer, '--policy', arguments.policy,
                   '--seed', str(seed), '--count', str(min(100, end - seed)), '--here', *(['--channels-first'] if arguments.channels_first else []), *(['--keep', arguments.keep] if arguments.keep else [])]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
            pending = None
            for line in child.stdout:
                told = json.loads(line)
                pending, seed = told['seed'] if len(told) == 1 else None, told['seed'] + 1
                if 'refused' in told:
                    refused += 1
                    print(f"seed {told['seed']}: {told['refused']}", flush=True)
                elif 'none' in told:
                    none += 1
                    print(f"seed {told['seed']}: no model: {told['none']}", flush=True)
                elif 'lines' in told:
                    layers, worst = layers + told['layers'], max(worst, told['error'])
                    good, bad = good + (not told['lines']), bad + bool(told['lines'])
                    if told['lines']:
                        print(f"seed {told['seed']}:", *told['lines'], sep='\n', flush=True)
        if pending is not None:
            none += 1
            print(f'seed {pending}: Keras crashed', flush=True)
        elif child.returncode:
            sys.exit(f'the comparison ended with {child.returncode}')
    print(f'{arguments.writer}: {good} models agree, {bad} depart, {refused} are refused with a reason, {none} could not be made; {layers} layers, worst error of those that agree {worst:.1e}')
    sys.exit(1 if bad else 0)


if __name__ == '__main__':
    main()
