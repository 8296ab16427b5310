"""What people run without h5conv, to be timed by tools/bench.

    python bench_tutorial.py summary MODEL.h5                    load the model, print its summary
    python bench_tutorial.py predict MODEL.h5 IMAGE SIDE         load the model, print the best class of a picture
    python bench_tutorial.py viz MODEL.h5 IMAGE SIDE OUT         the feature-map tutorial: every convolution as a matplotlib picture
"""
import os
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', CUDA_VISIBLE_DEVICES='-1', KERAS_BACKEND='tensorflow')
sys.dont_write_bytecode = True

import keras
import numpy as np


def picture(image, side):
    return keras.utils.img_to_array(keras.utils.load_img(image, target_size=(side, side)))[None]


def viz(model, image, side, out):
    import matplotlib
    matplotlib.use('Agg')
    import matplotlib.pyplot as plt
    os.makedirs(out, exist_ok=True)
    names = [layer.name for layer in model.layers if 'Conv' in type(layer).__name__]
    taps = keras.Model(model.inputs, [model.get_layer(name).output for name in names])
    for name, maps in zip(names, taps.predict(picture(image, side), verbose=0)):
        maps = maps[0]
        size, rows = maps.shape[0], maps.shape[-1] // 16
        grid = np.zeros((size * rows, 16 * size))
        for row in range(rows):
            for column in range(16):
                tile = maps[:, :, row * 16 + column]
                tile = (tile - tile.mean()) / (tile.std() + 1e-9) * 64 + 128
                grid[row * size:(row + 1) * size, column * size:(column + 1) * size] = np.clip(tile, 0, 255).astype('uint8')
        plt.figure(figsize=(16 * 1.4, rows * 2.0))
        plt.title(name)
        plt.grid(False)
        plt.imshow(grid, aspect='auto', cmap='viridis')
        plt.savefig(os.path.join(out, name + '.png'), dpi=300)
        plt.close()


def main():
    if sys.argv[1:2] not in (['summary'], ['predict'], ['viz']):
        sys.exit(__doc__)
    model = keras.models.load_model(sys.argv[2], compile=False)
    if sys.argv[1] == 'summary':
        model.summary()
    elif sys.argv[1] == 'predict':
        print(model.predict(picture(sys.argv[3], int(sys.argv[4])), verbose=0)[0].argmax())
    else:
        viz(model, sys.argv[3], int(sys.argv[4]), sys.argv[5])


if __name__ == '__main__':
    main()
