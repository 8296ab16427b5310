"""Makes weights-only files with their architectures beside them, from a whole model of the golden fixtures.

    python make_weights_fixtures.py Tests/Fixtures/models/tfk_sequential.h5 Tests/Fixtures/weights

Writes weights.h5 (model.save_weights), architecture.json (model.to_json) and renamed.json, whose layers have other names, so that
weights are found by order alone. tf_keras proves both: it loads them and computes what the whole model computes.
"""
import os
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', CUDA_VISIBLE_DEVICES='-1', TF_USE_LEGACY_KERAS='1')
import numpy as np
import tf_keras as keras

source, out = sys.argv[1:]
os.makedirs(out, exist_ok=True)
model = keras.models.load_model(source, compile=False)
text = model.to_json()
renamed = text
for layer in model.layers:
    renamed = renamed.replace(f'"name": "{layer.name}"', f'"name": "other_{layer.name}"')
assert renamed != text
model.save_weights(f'{out}/weights.h5', save_format='h5')
x = np.random.RandomState(0).rand(2, *model.input_shape[1:]).astype('f4')
for name, config in (('architecture', text), ('renamed', renamed)):
    with open(f'{out}/{name}.json', 'w') as file:
        file.write(config)
    twin = keras.models.model_from_json(config)
    twin.load_weights(f'{out}/weights.h5')
    assert np.array_equal(twin.predict(x, verbose=0), model.predict(x, verbose=0)), name
print('made by tf_keras', keras.__version__)
