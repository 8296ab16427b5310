"""Lies in the config: numbers, graphs, text that is no JSON, code."""
import base64
import copy
import json
import marshal
import zipfile
import io

import h5py

from . import tiny
from .case import Case, contents, fixtures, model_runs, runs_for
from .mutations import picture_model

VALUES = [0, -1, 1, 2, 3, 7, 2**20, 2**31, 2**40, 2**62, -(2**63), 10**30, 1e308, -1e308, 1e-320, 0.5, None, True, 'x', '', [], {}, [0], [1, 2, 3, 4, 5],
          [[1]], [None], [-1, -1], [2**40, 2**40], float('nan'), float('inf'), 'valid', 'same', 'causal', 'channels_first', 'float16', 'relu', 'linear',
          '../../x', 'a/b', 'conv\x1b[31m', {'class_name': 'Lambda', 'config': {}}, 'x' * 5000]
TEXTS = ['1e999', '-1e999', 'NaN', '-0', '1' * 300, '1' * 500, '0x10', '1.', '.5', '"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', '[' * 300 + ']' * 300,
         '[' * 100_000, '{"a":1,"a":2}', '9223372036854775808', '-9223372036854775809', '1e18', '1E+400', '"\\x"', 'tru', '01', '1 2', '/*x*/1']


def nodes(value):
    """All places of a JSON value: (container, key)."""
    found, pending = [], [value]
    while pending:
        item = pending.pop()
        pairs = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
        for key, inner in list(pairs):
            found.append((item, key))
            pending.append(inner)
    return found


def lie(rng, value):
    """Text of the JSON `value` with one to four places changed."""
    marks = {}
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        container, key = rng.choice(nodes(value))
        match rng.randrange(10):
            case 0: del container[key]
            case 1:
                other, place = rng.choice(nodes(value))
                container[key] = json.loads(json.dumps(other[place]))
            case 2 if isinstance(container, list): container.insert(0, json.loads(json.dumps(container[key])))
            case 3 if isinstance(container, list): rng.shuffle(container)
            case 4:
                mark = f'@@{len(marks)}@@'
                marks['"' + mark + '"'] = rng.choice(TEXTS)
                container[key] = mark
            # A copy: what is changed next may lie in it.
            case _: container[key] = copy.deepcopy(rng.choice(VALUES))
        if not nodes(value):
            break
    text = json.dumps(value)
    for mark, raw in marks.items():
        text = text.replace(mark, raw)
    return text


def mutated_config(number):
    def make(place):
        rng = place.rng
        if rng.random() < 0.5:
            fixture = rng.choice(fixtures('models', '.h5', limit=120_000))
            path = place.folder / 'model.h5'
            path.write_bytes(contents(fixture))
            with h5py.File(path, 'r+') as file:
                name = 'training_config' if 'training_config' in file.attrs and rng.random() < 0.1 else 'model_config'
                text = file.attrs[name]
                text = text.decode() if isinstance(text, bytes) else text
                del file.attrs[name]
                tiny.store_text(file, name, lie(rng, json.loads(text)))
            return runs_for(place, fixture, 'in/model.h5', 3)
        fixture = rng.choice(fixtures('containers', '.keras'))
        result = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(contents(fixture))) as source, zipfile.ZipFile(result, 'w') as target:
            for name in source.namelist():
                data = source.read(name)
                if name == ('metadata.json' if rng.random() < 0.03 else 'config.json'):
                    data = lie(rng, json.loads(data))
                target.writestr(zipfile.ZipInfo(name), data)
        return runs_for(place, fixture, place.write('model.keras', result.getvalue()), 3)
    return Case(f'mutated-config-{number}', make)


def model_case(name, config, weights=None):
    """The config in both containers; `config` may be a function that makes it."""
    def make(place):
        made = config() if callable(config) else config
        _, good = tiny.good()
        tiny.h5(place.folder / 'model.h5', made, good if weights is None else weights)
        place.write('model.keras', tiny.keras(made))
        return model_runs('in/model.h5') + [['inspect', '--weights', 'in/model.keras'], ['check', 'in/model.keras'],
                                            ['convert', 'in/model.keras', 'out/x.h5'], ['diff', 'in/model.h5', 'in/model.keras']]
    return Case('config-' + name, make)


def field_cases():
    """One wrong field at a time, in layers whose arithmetic is easily led astray."""
    image = tiny.input_layer()
    lies = {
        'units-1e18': tiny.layer('Dense', 'conv', 'image', units=10**18), 'units-negative': tiny.layer('Dense', 'conv', 'image', units=-1),
        'units-float': tiny.layer('Dense', 'conv', 'image', units=1e18), 'filters-2-62': tiny.convolution('conv', 'image', 2**62),
        'kernel-0': tiny.convolution('conv', 'image', kernel_size=[0, 0]), 'kernel-larger': tiny.convolution('conv', 'image', kernel_size=[99, 99], padding='valid'),
        'kernel-2-40': tiny.convolution('conv', 'image', kernel_size=[2**40, 2**40]), 'kernel-rank': tiny.convolution('conv', 'image', kernel_size=[3, 3, 3]),
        'strides-0': tiny.convolution('conv', 'image', strides=[0, 0]), 'strides-negative': tiny.convolution('conv', 'image', strides=[-1, -1]),
        'strides-huge': tiny.convolution('conv', 'image', strides=[2**63 - 1] * 2), 'dilation-0': tiny.convolution('conv', 'image', dilation_rate=[0, 0]),
        'dilation-huge': tiny.convolution('conv', 'image', dilation_rate=[2**31, 2**31]), 'groups-0': tiny.convolution('conv', 'image', groups=0),
        'groups-negative': tiny.convolution('conv', 'image', groups=-3), 'groups-large': tiny.convolution('conv', 'image', groups=2**40),
        'pool-0': tiny.layer('MaxPooling2D', 'conv', 'image', pool_size=[0, 0], strides=[1, 1], padding='valid'),
        'pool-huge': tiny.layer('AveragePooling2D', 'conv', 'image', pool_size=[2**40] * 2, strides=[2**40] * 2, padding='same'),
        'upsample-huge': tiny.layer('UpSampling2D', 'conv', 'image', size=[2**20, 2**20]), 'upsample-4096': tiny.layer('UpSampling2D', 'conv', 'image', size=[4096, 4096]),
        'padding-huge': tiny.layer('ZeroPadding2D', 'conv', 'image', padding=[[2**40, 2**40], [1, 1]]),
        'padding-100k': tiny.layer('ZeroPadding2D', 'conv', 'image', padding=[[100_000, 100_000], [100_000, 100_000]]),
        'cropping-all': tiny.layer('Cropping2D', 'conv', 'image', cropping=[[8, 8], [8, 8]]),
        'cropping-negative': tiny.layer('Cropping2D', 'conv', 'image', cropping=[[-9, -9], [-9, -9]]),
        'reshape-negative': tiny.layer('Reshape', 'conv', 'image', target_shape=[-1, -1]), 'reshape-zero': tiny.layer('Reshape', 'conv', 'image', target_shape=[0, -1]),
        'reshape-overflow': tiny.layer('Reshape', 'conv', 'image', target_shape=[2**32, 2**32, -1]),
        'repeat-huge': tiny.layer('RepeatVector', 'conv', 'image', n=2**60), 'permute-lies': tiny.layer('Permute', 'conv', 'image', dims=[1, 1, 1]),
        'permute-far': tiny.layer('Permute', 'conv', 'image', dims=[2**62, 0, -5]), 'axis-far': tiny.layer('Softmax', 'conv', 'image', axis=2**62),
        'concatenate-axis': tiny.layer('Concatenate', 'conv', ['image', 'image'], axis=-(2**63)),
        'concatenate-much': tiny.layer('Concatenate', 'conv', ['image'] * 5000, axis=-1), 'add-one': tiny.layer('Add', 'conv', 'image'),
        'dot-axes': tiny.layer('Dot', 'conv', ['image', 'image'], axes=[2**40, -7]), 'embedding-huge': tiny.layer('Embedding', 'conv', 'image', input_dim=2**62, output_dim=2**62),
        'normalization-epsilon': tiny.layer('BatchNormalization', 'conv', 'image', epsilon=-1e308, axis=[2**62]),
        'activation-unknown': tiny.convolution('conv', 'image', activation='eval'), 'activation-object': tiny.convolution('conv', 'image', activation={'class_name': 'x' * 10000}),
        'resizing-huge': tiny.layer('Resizing', 'conv', 'image', height=2**31, width=2**31), 'resizing-0': tiny.layer('Resizing', 'conv', 'image', height=0, width=0),
        'einsum-lies': tiny.layer('EinsumDense', 'conv', 'image', equation='...,,->->', output_shape=[2**62]),
        'einsum-long': tiny.layer('EinsumDense', 'conv', 'image', equation='a' * 100_000 + ',b->c', output_shape=[1]),
        'lstm-units': tiny.layer('LSTM', 'conv', 'image', units=2**62), 'rnn-cells': tiny.layer('RNN', 'conv', 'image', cell=[]),
        'attention-heads': tiny.layer('MultiHeadAttention', 'conv', ['image', 'image'], num_heads=2**62, key_dim=2**62),
        'adaptive-0': tiny.layer('AdaptiveAveragePooling2D', 'conv', 'image', output_size=[0, 2**62]),
        'transpose-padding': tiny.layer('Conv2DTranspose', 'conv', 'image', filters=2, kernel_size=[3, 3], strides=[2, 2], output_padding=[2**62, 9], padding='valid'),
        'discretization-nan': tiny.layer('Discretization', 'conv', 'image', bin_boundaries=[float('nan')] * 3),
        'category-huge': tiny.layer('CategoryEncoding', 'conv', 'image', num_tokens=2**62, output_mode='one_hot'),
        'class-long': tiny.layer('X' * 100_000, 'conv', 'image'), 'class-control': tiny.layer('\x1b]0;x\x07\u202e', 'conv', 'image'),
    }
    inputs = {
        'huge': (None, 2**40, 2**40, 3), 'product': (None, 2**31, 2**31, 3), 'negative': (None, -8, 8, 3), 'zero': (None, 0, 8, 3),
        'free': (None, None, None, None), 'rank-0': (), 'rank-40': (None,) + (2,) * 40, 'batch': (2**40, 8, 8, 3), '65000': (None, 65000, 65000, 3),
        'text': (None, '8', 'x', 3), 'nested': (None, [8], 8, 3), 'float': (None, 8.5, 1e300, 3),
    }
    return ([model_case(name, tiny.functional([image, each], 'conv')) for name, each in lies.items()] +
            [model_case('input-' + name, tiny.functional([tiny.input_layer(shape=shape), tiny.convolution('conv', 'image')], 'conv'))
             for name, shape in inputs.items()])


def graph_cases():
    image, conv = tiny.input_layer(), tiny.convolution
    chain = lambda count: [image] + [tiny.layer('Activation', f'l{i}', f'l{i - 1}' if i else 'image', activation='relu') for i in range(count)]

    def nested(levels, calls, branch=None):
        """Models in models, each calling the next `calls` times."""
        name, model = 'leaf', tiny.functional([tiny.input_layer('in')] + (branch or []), 'last' if branch else 'in', 'leaf')
        for level in range(levels):
            inner = {'class_name': 'Functional', 'name': name, 'config': model['config'],
                     'inbound_nodes': [[[name if call else 'in', call - 1 if call else 0, 0, {}]] for call in range(calls)]}
            inner['config']['name'] = name
            model = tiny.functional([tiny.input_layer('in'), inner], name, f'm{level}')
            model['config']['output_layers'] = [[name, calls - 1, 0]]
            name = f'm{level}'
        return model

    def wrappers(class_name, levels, **inner):
        config = tiny.layer('Dense', 'dense', None, units=2, **inner)
        for level in range(levels):
            config = {'class_name': class_name, 'name': f'w{level}', 'config': {'name': f'w{level}', 'layer': {k: config[k] for k in ('class_name', 'config')}}}
        return tiny.functional([image, {**config, 'inbound_nodes': [[['image', 0, 0, {}]]]}], config['name'])

    def reference(*node):
        each = conv('conv', 'image')
        each['inbound_nodes'] = [[list(node)]]
        return tiny.functional([image, each], 'conv')

    loop = tiny.functional([image, conv('a', 'b'), conv('b', 'a'), tiny.layer('Add', 'conv', ['image', 'b'])], 'conv')
    own = tiny.functional([image, conv('conv', 'conv')], 'conv')
    twice = tiny.functional([image, conv('conv', 'image'), conv('conv', 'image')], 'conv')
    lists = []
    for _ in range(150):
        lists = [lists]
    called = tiny.layer('Activation', 'x' * 100_000, 'image', activation='relu')
    called['inbound_nodes'] = [[['image', 0, 0, {}]]] * 5000
    dense_graph = [image] + [tiny.layer('Add', f'a{i}', [f'a{j}' for j in range(i)] if i > 1 else ['image', 'image']) for i in range(400)]
    return [model_case(name, config) for name, config in {
        'cycle': loop, 'own-input': own, 'duplicate-name': twice, 'dangling': reference('nowhere', 0, 0, {}), 'node-7': reference('image', 7, 0, {}),
        'node-negative': reference('image', -1, 0, {}), 'tensor-9': reference('image', 0, 9, {}), 'tensor-negative': reference('image', 0, -1, {}),
        'node-huge': reference('image', 2**62, 2**62, {}), 'node-text': reference('image', 'x', None, {}), 'node-short': reference('image'),
        'kwargs': reference('image', 0, 0, {'mask': ['image', 0, 0], 'x' * 1000: lists}), 'node-lists': reference(lists, 0, 0),
        'no-input': tiny.functional([conv('conv', 'conv2'), conv('conv2', 'conv')], 'conv', inputs=['conv']),
        'output-nowhere': tiny.functional([image], 'nowhere'), 'outputs-many': tiny.functional([image], ['image'] * 10_000),
        'outputs-none': tiny.functional([image, conv('conv', 'image')], []), 'inputs-none': tiny.functional([image, conv('conv', 'image')], 'conv', inputs=[]),
        'inputs-twice': tiny.functional([image, conv('conv', 'image')], 'conv', inputs=['image', 'image']),
        'layers-object': {'class_name': 'Functional', 'config': {'layers': {'a': 1}}}, 'layers-numbers': {'class_name': 'Sequential', 'config': {'layers': [1, 2, None]}},
        'sequential-empty': tiny.sequential([]), 'sequential-list': {'class_name': 'Sequential', 'config': [[], {}, 'x']},
        'config-text': {'class_name': 'Functional', 'config': 'text'}, 'class-number': {'class_name': 7, 'config': {}}, 'only-null': None,
        'subclassed': {'class_name': 'MyModel', 'config': {}},
        'chain-3000': lambda: tiny.functional(chain(3000), 'l2999'), 'dense-graph': lambda: tiny.functional(dense_graph, 'a399'),
        'called-5000-long-name': lambda: tiny.functional([image, called], 'x' * 100_000),
        'long-name-many-layers': lambda: tiny.functional(chain(20_000) + [tiny.layer('Activation', 'y' * 500_000, 'image', activation='relu')], 'l19999'),
        'nested-40': lambda: nested(40, 1), 'nested-45-twice': lambda: nested(45, 2), 'nested-20-twice-layers': lambda: nested(
            20, 2, [tiny.layer('Activation', 'last', 'in', activation='relu')]),
        'nested-20-thrice': lambda: nested(20, 3), 'unnamed-models': lambda: tiny.sequential(
            [image] + [{'class_name': 'Sequential', 'config': [tiny.layer('Flatten', 'f', None)]}] * 20_000),
        'wrapped-time-30': lambda: wrappers('TimeDistributed', 30), 'wrapped-time-90': lambda: wrappers('TimeDistributed', 90),
        'wrapped-both-ways-30': lambda: wrappers('Bidirectional', 30), 'wrapped-spectral-40': lambda: wrappers('SpectralNormalization', 40),
        'layers-50000-unknown': lambda: tiny.functional([image] + [tiny.layer('Nothing', f'n{i}', 'image') for i in range(50_000)], 'n7'),
    }.items()]


def text_cases():
    config, _ = tiny.good()
    text = json.dumps(config)
    inside = text.replace('"relu"', '%s')
    return [model_case('text-' + name, each) for name, each in {
        'not-utf8': text.encode().replace(b'conv', b'c\xff\xfe\xc0'), 'overlong': text.encode().replace(b'conv', b'c\xc0\xaf\xe0\x80\x80'),
        'surrogate-bytes': text.encode().replace(b'conv', b'c\xed\xa0\x80'), 'utf16': text.encode('utf-16-le'), 'bom': b'\xef\xbb\xbf' + text.encode(),
        'lone-surrogate': text.replace('conv', 'c\\ud800'), 'nul-escape': text.replace('conv', 'c\\u0000d'), 'empty': '', 'space': ' ' * 1000,
        'deep-list': '[' * 150 + ']' * 150, 'deeper-list': '[' * 1_000_000, 'deep-object': '{"a":' * 1_000_000, 'cut': text[:-5],
        'twice': text + text, 'duplicate-key': text.replace('"filters": 2', '"filters": 2, "filters": 3'),
        'duplicate-escaped': text.replace('"filters": 2', '"filters": 2, "\\u0066ilters": 3'), 'python': repr(config), 'yaml': 'class_name: Sequential\n',
        'long-number': inside % ('1' * 10_000), 'exponent': inside % '1e999999999999', 'minus': inside % '-', 'infinity': inside % '-Infinity',
        'long-string': inside % ('"' + 'x' * 20_000_000 + '"'), 'escapes': inside % ('"' + '\\u0041' * 1_000_000 + '"'),
        'combining': text.replace('conv', 'e' + '\u0301' * 50_000), 'same-when-composed': text.replace('"conv"', '"\u00e9"', 1).replace('"conv"', '"e\u0301"', 1),
    }.items()]


def code_cases():
    """Code in the file: shown, never run."""
    trace = "__import__('os').system('touch out/code-ran')"
    code = base64.b64encode(marshal.dumps(compile(f'({trace})', 'x', 'eval'))).decode()
    image = tiny.input_layer()
    lambdas = {
        'lambda-2': tiny.layer('Lambda', 'conv', 'image', function=[code, None, None], function_type='lambda', module='os', output_shape=None),
        'lambda-3': tiny.layer('Lambda', 'conv', 'image', function={'class_name': '__lambda__', 'config': {'code': code, 'defaults': None, 'closure': None}}),
        'lambda-name': tiny.layer('Lambda', 'conv', 'image', function='os.system', function_type='function'),
        'custom': {**tiny.layer('Evil', 'conv', 'image', payload=trace), 'module': 'os', 'registered_name': 'os>system'},
        'operation': {**tiny.layer('TFOpLambda', 'conv', 'image', function='os.system')}, 'python-function': {
            **tiny.convolution('conv', 'image'), 'module': '__builtin__', 'class_name': 'eval'},
        'initializer': tiny.convolution('conv', 'image', kernel_initializer={'module': 'subprocess', 'class_name': 'Popen', 'config': {'args': 'touch out/code-ran'}}),
        'vocabulary': tiny.layer('StringLookup', 'conv', 'image', vocabulary='/etc/passwd'),
        'vocabulary-outside': tiny.layer('TextVectorization', 'conv', 'image', vocabulary='../outside/secret.txt'),
    }
    cases = [model_case(name, tiny.functional([image, each], 'conv')) for name, each in lambdas.items()]
    return cases + [model_case('compile', {**tiny.good()[0], 'compile_config': {'loss': code, 'optimizer': {'module': 'os', 'class_name': 'system'}}})]


NAMES = {
    'up': '../../../x', 'absolute': '{outside}/absolute', 'dot': '.', 'dots': '..', 'hidden': '.bashrc', 'slash': '/', 'slashes': 'a//b/./c/../d', 'empty': '',
    'backslash': '..\\..\\x', 'ansi': '\x1b[31mred\x1b[0m', 'title': '\x1b]0;owned\x07', 'c1': '\x9b31m', 'bell': 'a\x07\x08b', 'delete': 'a\x7f',
    'bidi': 'a\u202egnp.exe', 'isolate': '\u2066x\u2069', 'zero-width': 'a\u200bb\ufeffc', 'line': 'a\nh5conv: forged', 'return': 'good\rbad', 'tab': 'a\tb',
    'separator': 'a\u2028b\u2029c\x85d', 'nul': 'a\x00b', 'script': '<script>hostile()</script>', 'attribute': '" onmouseover="hostile()" x="',
    'single': "' onload='hostile()", 'entity': '&lt;script&gt;', 'url': 'javascript:hostile()', 'comment': '--><script>hostile()</script>',
    'style': '</style><script>hostile()</script>', 'title-end': '</title><img src=x onerror=hostile()>', 'percent': '%2e%2e%2f%s%n', 'con': 'CON', 'nul-device': 'NUL.png',
    'colon': 'a:b', 'star': '*?[]', 'dash': '-o', 'space': ' ', 'long': 'x' * 10_000, 'long-utf8': '漢' * 5000, 'emoji': '👨‍👩‍👧‍👦' * 50, 'combining': 'e' + '\u0301' * 2000,
    'tag': '\U000e0041\U000e0042', 'language': 'a\u061cb', 'noncharacter': 'a\uffff\ufdd0', 'private': '\ue000\U000f0000', 'comma': 'a,b', 'hash': '#0', 'at': '@outputs',
    'output': 'a:1', 'call': 'a@1', 'formula': '=cmd|calc', 'json': '"}],"x":[{"', 'quote': "'; DROP TABLE", 'soft-hyphen': 'a\u00adb', 'interlinear': 'a\ufff9b\ufffa',
}


def name_cases():
    """Hostile names of layers, models, weights and classes, through every command that shows them or makes files of them."""
    def make(name):
        def build(place):
            each = name.replace('{outside}', str(place.outside))
            config = tiny.functional([tiny.input_layer(), tiny.convolution(each, 'image'), tiny.convolution('b', each)], 'b', name=each)
            weights = {each: {each + '/kernel:0' if each.strip('/.\0') else 'kernel:0': 0, 'bias:0': 0}, 'b': tiny.conv_weights(2)}
            weights[each] = dict(zip(weights[each], tiny.conv_weights().values()))
            runs = []
            try:
                tiny.h5(place.folder / 'model.h5', config, weights)
                runs = model_runs('in/model.h5')
            except (ValueError, OSError, RuntimeError):
                pass  # a name that h5py cannot write
            place.write('model.keras', tiny.keras(config))
            place.write('model.json', json.dumps(config))
            return runs + model_runs('in/model.keras')[:6] + [['inspect', 'in/model.json'], ['extract', 'in/model.keras', picture(), '-l', each, '-o', 'out/e.npz']]
        return build

    def picture():
        from .case import PICTURE
        return str(PICTURE)

    def collisions(place):
        names = ['a', 'A', 'a.', 'a ', 'a%2F', 'a/b', 'a_b', 'x' * 300, 'x' * 299 + 'y', 'X' * 300, 'é', 'e\u0301', 'É']
        layers, last, weights = [tiny.input_layer()], 'image', {}
        for each in names:
            layers.append(tiny.convolution(each, last, 3))
            weights[each] = tiny.conv_weights(3, 3)
            last = each
        tiny.h5(place.folder / 'model.h5', tiny.functional(layers, last), weights)
        return model_runs('in/model.h5')

    def files(place):
        runs = []
        config, weights = tiny.good()
        for each in ('\x1b[31m.h5', '\u202e5h.h5', 'a\nb.h5', '-x.h5', '<b>.h5', 'x' * 240 + '.h5', '%s%n.h5'):
            tiny.h5(place.folder / each, config, weights)
            runs += [['inspect', 'in/' + each], ['check', 'in/' + each], ['viz', 'in/' + each, picture(), '-o', 'out/' + each], ['inspect', 'in/' + each + 'x']]
        return runs
    return [Case('name-' + key, make(name)) for key, name in NAMES.items()] + [Case('name-collisions', collisions), Case('name-of-file', files)]


def label_cases():
    def labels(name, data):
        return Case('labels-' + name, lambda place: [
            ['predict', model, picture, '--labels', place.write(file, data)] for model, picture in [(picture_model(), str(_picture()))]
            for file in ('labels.txt', 'labels.json')])
    from .case import PICTURE
    _picture = lambda: PICTURE
    index = {str(i): ['n0', f'name{i}'] for i in range(5)}
    return [labels(name, data) for name, data in {
        'empty': b'', 'binary': bytes(range(256)) * 10, 'controls': '\x1b[31ma\n\u202eb\n\x9bc\r\nd\x00e\nf', 'one-long': b'x' * 10_000_000, 'million': b'a\n' * 1_000_000,
        'deep': '[' * 100_000, 'numbers': '[1, 2, null, {}]', 'index': json.dumps(index), 'index-negative': '{"-1": ["a", "b"], "99999999999999999999": ["c", "d"]}',
        'index-huge': '{"9223372036854775807": ["a", "b"]}', 'index-1e9': '{"0": ["a", "b"], "1000000000": ["a", "b"]}', 'index-odd': '{"0": [], "1": "x", "2": [[]]}',
        'object': '{}', 'utf16': 'a\nb\nc'.encode('utf-16'), 'nul': b'\0' * 1000, 'pickle': b"cos\nsystem\n(S'touch out/pickle-ran'\ntR.",
    }.items()]


def cases():
    return field_cases() + graph_cases() + text_cases() + code_cases() + name_cases() + label_cases()
