"""Makes Sources/ModelFiles/LayerFieldsData.swift: which config fields the layers of Keras 3 and of tf_keras (Keras 2) take.

    python make_layer_fields.py Sources/ModelFiles/LayerFieldsData.swift
"""
import inspect
import os
import sys
import textwrap

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', CUDA_VISIBLE_DEVICES='-1')
import keras
import tf_keras

# Classes that cannot be rebuilt from a file, or are only bases of others.
LEFT_OUT = {'Wrapper', 'AbstractRNNCell', 'TFSMLayer', 'FlaxLayer', 'JaxLayer', 'TorchModuleWrapper', 'Pipeline', 'InputLayer'}

COMMON = {'name', 'dtype', 'trainable', 'activity_regularizer'}


def fields(library):
    """Names of the constructor's parameters by class name, without those that every layer has."""
    found = {}
    for _, kind in inspect.getmembers(library.layers, inspect.isclass):
        if not issubclass(kind, library.layers.Layer) or kind is library.layers.Layer or kind.__name__ in LEFT_OUT:
            continue
        parameters = inspect.signature(kind.__init__).parameters.values()
        names = {p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)} - {'self', 'weights'}
        # What is not named goes to the base class, which takes these; a class that names all it takes does not.
        is_open = any(p.kind == p.VAR_KEYWORD for p in parameters)
        found[kind.__name__] = names | COMMON if is_open else names
    return found


def main():
    three, two = fields(keras), fields(tf_keras)
    # Keras 3 takes Keras 2's word for the slope.
    three['LeakyReLU'].add('alpha')
    # What recurrent layers take for their base class.
    for name in ('LSTM', 'GRU', 'SimpleRNN', 'RNN'):
        three[name].add('zero_output_for_mask')
        two[name].add('zero_output_for_mask')
    lines = []
    for name in sorted(set(three) | set(two)):
        a, b = three.get(name), two.get(name)
        if a is not None and b is not None and COMMON <= a & b or a is None and COMMON <= b or b is None and COMMON <= a:
            a, b = a and a - COMMON, b and b - COMMON
            name += '*'  # and what every layer takes
        parts = [sorted((a or set()) & (b or set())), sorted((a or set()) - (b or set())), sorted((b or set()) - (a or set()))]
        known = '3' * (a is not None) + '2' * (b is not None)
        lines += textwrap.wrap(f'{name} {known}: ' + ' | '.join(' '.join(part) for part in parts), 116, subsequent_indent='  ')
    text = '\n'.join('    ' + line.rstrip() for line in lines)
    with open(sys.argv[1], 'w') as file:
        file.write(f'''// Made by tools/make_layer_fields.py from Keras {keras.__version__} and tf_keras {tf_keras.__version__}.

extension LayerFields {{
  /// A class (with a star when it takes what every layer takes), which of Keras 3 and 2 have it, then the fields that both
  /// take, Keras 3 alone, Keras 2 alone.
  static let text = """
{text}
    """
}}
''')


main()
