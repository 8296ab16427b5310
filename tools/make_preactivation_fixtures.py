"""Makes the golden values before activations: what real Keras gives for the model fixtures when a layer's activation is linear.

    python make_preactivation_fixtures.py Tests/Fixtures/models OUT.npz

For each layer with an activation at its end (those inside nested models, channels_first layers and models that Keras computes in 16 bits left
out), some elements of what the
activation is computed of, and the largest magnitude of all:

    MODEL|LAYER            values at the places 0, step, 2 step … where step = max(1, size // 24)
    MODEL|LAYER|largest

OUT is usually Tests/Fixtures/preactivations/preactivations.npz.
"""
import glob
import os
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', TF_ENABLE_ONEDNN_OPTS='0', CUDA_VISIBLE_DEVICES='-1', KERAS_BACKEND='tensorflow')
sys.dont_write_bytecode = True
import numpy as np

from fixtures.harness import Writer
from fixtures.outputs import calls, graph_of, input_names

KEPT = 24
# Theirs are inside.
INNER = ('LSTM', 'GRU', 'RNN', 'Attention')


def preactivations(writer, model, golden):
    """(layer, values) for every layer that ends in an activation."""
    if any('16' in str(getattr(layer, 'compute_dtype', '')) for layer in model.layers):
        return
    linear = writer.keras.activations.linear
    feeds = [golden['input:' + name] for name in input_names(model)]
    for layer, number, _, outputs in calls(model):
        activation = getattr(layer, 'activation', None)
        kind = type(layer).__name__
        if activation in (None, linear) or number or len(outputs) != 1 or any(word in kind for word in INNER):
            continue
        if getattr(layer, 'data_format', None) == 'channels_first':
            continue
        tap = writer.keras.Model(list(graph_of(model).inputs), outputs)
        layer.activation = linear
        try:
            value = np.asarray(tap(feeds if len(feeds) > 1 else feeds[0], training=False))
        finally:
            layer.activation = activation
        yield layer.name, value


def main():
    folder, out = sys.argv[1:]
    arrays, skipped = {}, []
    for prefix in ('tfk', 'k3'):
        writer = Writer(prefix)
        for path in sorted(glob.glob(os.path.join(folder, prefix + '_*.h5'))):
            name = os.path.basename(path)[:-3]
            writer.keras.backend.clear_session()
            try:
                for layer, value in preactivations(writer, writer.load(path), np.load(path[:-3] + '.npz')):
                    key = f'{name}|{layer}'
                    arrays[key] = value.reshape(-1)[::max(1, value.size // KEPT)].astype('float32')
                    arrays[key + '|largest'] = np.float32(np.abs(value).max()).reshape(1)
            except Exception as error:
                skipped.append(f'{name}: {type(error).__name__}: {str(error)[:100]}')
    os.makedirs(os.path.dirname(out), exist_ok=True)
    np.savez_compressed(out, **arrays)
    print(f'{len(arrays) // 2} layers, {os.path.getsize(out) / 1024:.0f} KB; skipped:', *skipped, sep='\n  ')


if __name__ == '__main__':
    main()
