"""Makes the golden explanations: what each method gives, computed with TensorFlow and NumPy from the papers' formulas.

    python make_explanation_fixtures.py Tests/Fixtures/models OUT.npz

For the first picture of each model: MODEL|METHOD, a map (height, width), and MODEL|score, the best class's score before the softmax or
sigmoid. OUT is usually Tests/Fixtures/gradients/explanations.npz.
"""
import os
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', TF_ENABLE_ONEDNN_OPTS='0', CUDA_VISIBLE_DEVICES='-1', KERAS_BACKEND='tensorflow')
sys.dont_write_bytecode = True
import numpy as np
import tensorflow as tf

from fixtures.harness import Writer
from fixtures.outputs import calls, graph_of, input_names

# The layer that CAM methods look at.
MODELS = {'k3_compiled': 'relu', 'tfk_tutorial': 'block3_conv1'}
STEPS, PATCH, STRIDE = 16, 3, 2


def relu(x):
    return np.maximum(x, 0)


def upsampled(mask, height, width):
    """Bilinear, with half-pixel centres."""
    return tf.image.resize(mask[None, :, :, None], (height, width)).numpy()[0, :, :, 0]


def explanations(writer, path, layer):
    model = writer.load(path + '.h5')
    x = np.load(path + '.npz')['input:' + input_names(model)[0]][:1]
    model.layers[-1].activation = writer.keras.activations.linear
    tapped = [outputs[0] for made, _, _, outputs in calls(model) if made.name == layer][0]
    to_maps = writer.keras.Model(graph_of(model).inputs, tapped)
    final = [layer for layer in model.layers]
    place = [l.name for l in final].index(layer)

    def rest(value):
        for l in final[place + 1:]:
            value = l(value, training=False)
        return value

    maps = tf.constant(np.asarray(to_maps(x, training=False)))
    scores = np.asarray(rest(maps))[0]
    single = len(scores) == 1
    best = 0 if single else int(np.argmax(scores))
    sign = -1.0 if single and scores[0] < 0 else 1.0

    def score(pictures):
        return sign * np.asarray(rest(to_maps(pictures, training=False)))[:, best]

    def gradient(picture):
        picture = tf.constant(picture)
        with tf.GradientTape() as tape:
            tape.watch(picture)
            total = sign * rest(to_maps(picture, training=False))[0, best]
        return tape.gradient(total, picture).numpy()[0]

    with tf.GradientTape() as tape:
        tape.watch(maps)
        total = sign * rest(maps)[0, best]
    a, g = maps.numpy()[0].astype('float64'), tape.gradient(total, maps).numpy()[0].astype('float64')
    yield 'score', score(x)
    yield 'gradcam', relu((a * g.mean((0, 1))).sum(-1))
    yield 'hirescam', relu((a * g).sum(-1))
    yield 'layercam', relu((a * relu(g)).sum(-1))
    alpha = np.where(g > 0, g ** 2 / np.where(g > 0, 2 * g ** 2 + a.sum((0, 1)) * g ** 3 + 1e-6, 1), 0)
    yield 'gradcam++', relu((a * (alpha * relu(g)).sum((0, 1))).sum(-1))
    rows = a.reshape(-1, a.shape[-1])
    centred = rows - rows.mean(0)
    direction = np.linalg.svd(centred, full_matrices=False)[2][0]
    direction *= 1 if rows.mean(0) @ direction >= 0 else -1
    yield 'eigencam', relu(centred @ direction).reshape(a.shape[:2])

    height, width = x.shape[1:3]
    channels = [c for c in range(a.shape[-1]) if a[..., c].max() > a[..., c].min()]
    masks = [(a[..., c] - a[..., c].min()) / (a[..., c].max() - a[..., c].min()) for c in channels]
    seen = np.stack([x[0] * upsampled(mask.astype('float32'), height, width)[..., None] for mask in masks])
    gains = score(seen) - score(np.zeros_like(x))
    weights = np.exp(gains - gains.max()) / np.exp(gains - gains.max()).sum()
    yield 'scorecam', relu((a[..., channels] * weights).sum(-1))

    yield 'saliency', np.abs(gradient(x)).max(-1)
    path_gradients = [gradient(x * np.float32((k + 0.5) / STEPS)) for k in range(STEPS)]
    yield 'ig', (x[0] * np.mean(path_gradients, 0)).sum(-1)

    sums, counts, whole = np.zeros((height, width)), np.zeros((height, width)), score(x)[0]
    starts = lambda length: [s for s in range(0, max(1, length - PATCH + STRIDE), STRIDE) if s < length]
    for top in starts(height):
        for left in starts(width):
            covered = x.copy()
            covered[0, top:top + PATCH, left:left + PATCH] = x[0].mean((0, 1))
            sums[top:top + PATCH, left:left + PATCH] += whole - score(covered)[0]
            counts[top:top + PATCH, left:left + PATCH] += 1
    yield 'occlusion', np.where(counts > 0, sums / np.maximum(counts, 1), 0)


def main():
    folder, out = sys.argv[1:]
    arrays = {}
    for name, layer in MODELS.items():
        for method, value in explanations(Writer(name.split('_')[0]), os.path.join(folder, name), layer):
            arrays[f'{name}|{method}'] = np.asarray(value, 'float32')
            print(name, method, arrays[f'{name}|{method}'].shape, float(np.abs(value).max()))
    np.savez_compressed(out, **arrays)
    print(f'{os.path.getsize(out) / 1024:.0f} KB')


if __name__ == '__main__':
    main()
