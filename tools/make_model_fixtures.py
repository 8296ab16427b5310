"""Makes the golden fixtures: small models saved by real Keras, with the output of every layer.

    python make_model_fixtures.py OUT [--writer k3|tfk] [suite ...]

OUT is usually Tests/Fixtures/models. Each file is proved before it counts: Keras loads it again and computes the same.
"""
import argparse
import os
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', TF_ENABLE_ONEDNN_OPTS='0', CUDA_VISIBLE_DEVICES='-1', KERAS_BACKEND='tensorflow')
os.environ.setdefault('TF_NUM_INTRAOP_THREADS', '1')
sys.dont_write_bytecode = True

from fixtures import (
    attention, channels_first, convolutions, elementwise, graphs, operations, preprocessing, quantized, ranks, recurrent, rewritten, spatial, special, wrapped)
from fixtures.harness import Writer

# rewritten needs the files of graphs
MODULES = (
    convolutions, channels_first, ranks, spatial, elementwise, graphs, special, recurrent, attention, operations, wrapped, preprocessing, quantized, rewritten)
SUITES = {suite.__name__: suite for module in MODULES for suite in module.SUITES}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out')
    parser.add_argument('--writer', choices=['k3', 'tfk'], action='append')
    parser.add_argument('suites', nargs='*', metavar='suite', help=', '.join(SUITES))
    arguments = parser.parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    failed = []
    for prefix in arguments.writer or ['tfk', 'k3']:
        writer = Writer(prefix)
        for name in arguments.suites or SUITES:
            writer.start(name)
            try:
                SUITES[name](writer, arguments.out)
            except Exception as error:
                failed.append(f'{prefix}_{name}')
                print(f'FAILED {prefix}_{name}: {type(error).__name__}: {str(error)[:1500]}', file=sys.stderr, flush=True)
    if failed:
        sys.exit('failed: ' + ', '.join(failed))


if __name__ == '__main__':
    main()
