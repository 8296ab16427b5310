"""Makes the golden numbers of `h5conv top`: how strong each channel of a network is on some pictures, by real Keras.

    python make_top_fixtures.py Tests/Fixtures OUT.npz

The network is models/tfk_tutorial.h5, the pictures are those of images/ named below, as keras.utils.load_img reads them, divided by 255.
For each layer, arrays (pictures, channels): LAYER|max, LAYER|mean, LAYER|flat (1 where all activations are the same), LAYER|row and
LAYER|column (of the first greatest activation; −1 where another is as great within 1e-4). OUT is usually Tests/Fixtures/viz/top.npz.
"""
import os
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', TF_ENABLE_ONEDNN_OPTS='0', CUDA_VISIBLE_DEVICES='-1')
import numpy as np
import tf_keras as keras

PICTURES = ['exif1.jpg', 'grey8.png', 'progressive.jpg', 'rgb.jpg', 'rgb8.png', 'palette8.png', 'grey.jpg']
LAYERS = ['conv2d_1', 'block1_conv2', 'block3_conv1', 'dense_2']


def main():
    fixtures, out = sys.argv[1:]
    model = keras.models.load_model(os.path.join(fixtures, 'models', 'tfk_tutorial.h5'), compile=False)
    tap = keras.Model(model.input, [model.get_layer(name).output for name in LAYERS])
    images = [np.asarray(keras.utils.load_img(os.path.join(fixtures, 'images', name), target_size=(32, 32))) for name in PICTURES]
    arrays = {}
    for name, value in zip(LAYERS, tap.predict(np.stack(images).astype('float32') / 255, verbose=0)):
        count, channels = value.shape[0], value.shape[-1]
        width = value.shape[2] if value.ndim == 4 else 1
        flat = value.reshape(count, -1, channels)
        largest, place = flat.max(axis=1), flat.argmax(axis=1)
        arrays[name + '|flat'] = ((largest == flat.min(axis=1)) & (flat.shape[1] > 1)).astype('float32')
        tied = (flat > (largest - 1e-4)[:, None]).sum(axis=1) > 1
        arrays[name + '|max'] = largest
        arrays[name + '|mean'] = flat.astype('float64').mean(axis=1).astype('float32')
        arrays[name + '|row'] = np.where(tied, -1, place // width).astype('float32')
        arrays[name + '|column'] = np.where(tied, -1, place % width).astype('float32')
    np.savez_compressed(out, **arrays)
    print(f'{os.path.getsize(out) / 1024:.0f} KB;', {k: float((v >= 0).mean()) for k, v in arrays.items() if k.endswith('row')})


if __name__ == '__main__':
    main()
