"""Makes Sources/ModelFiles/OperationModulesData.swift: in which module of Keras 3 the class of each operation is.

    python make_operation_modules.py Sources/ModelFiles/OperationModulesData.swift
"""
import importlib
import inspect
import os
import pkgutil
import sys
import textwrap

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', CUDA_VISIBLE_DEVICES='-1')
import keras
import keras.src.ops

lines = []
for module in sorted(info.name for info in pkgutil.iter_modules(keras.src.ops.__path__) if not info.name.endswith('_test')):
    if module in ('function', 'node', 'operation', 'symbolic_arguments'):  # the graph itself
        continue
    found = importlib.import_module(f'keras.src.ops.{module}')
    names = sorted(name for name, value in vars(found).items()
                   if inspect.isclass(value) and issubclass(value, keras.Operation) and value.__module__ == found.__name__)
    if names:
        lines += textwrap.wrap(f'{module}: ' + ' '.join(names), 112, subsequent_indent='  ')
text = '\n'.join('    ' + line for line in lines)
with open(sys.argv[1], 'w') as file:
    file.write(f'''// Made by tools/make_operation_modules.py from Keras {keras.__version__}.

extension OperationModules {{
  /// A module below `keras.src.ops`, then the operations that are in it.
  static let text = """
{text}
    """
}}
''')
