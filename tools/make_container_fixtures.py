"""Makes the containers' fixtures: small networks in every container and generation of Keras files, written by these versions themselves.

    python make_container_fixtures.py OUT k315=PYTHON tfk221=PYTHON k122=PYTHON ... [--only WRITER ...]

OUT is usually Tests/Fixtures/containers. Every writer runs in a Python of its own; WRITERS below says what each one needs. A network has
the same weights in all its files, and each writer proves that it computes the golden outputs of <network>.npz. At the end today's Keras and
tf_keras open every file, and index.json says what each file is.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

# writer: (Python, packages, modules); the first two only say what to install
WRITERS = {
    'k315': ('3.11', 'keras==3.15.1 tensorflow-cpu==2.21.0 h5py==3.14.0', 'containers_modern containers_dtypes containers_npz'),
    'tfk221': ('3.11', 'tf_keras==2.21.0 tensorflow-cpu==2.21.0 h5py==3.14.0', 'containers_modern containers_ops'),
    'k312': ('3.11', 'keras==3.12.0 tensorflow-cpu==2.20.0', 'containers_dtypes'),
    'k350': ('3.11', 'keras==3.5.0 tensorflow-cpu==2.17.1', 'containers_modern containers_dtypes containers_npz'),
    'k350jax': ('3.11', 'keras==3.5.0 jax[cpu]==0.4.30 numpy<2', 'containers_npz'),
    'k350np': ('3.11', 'as k350jax', 'containers_npz'),
    'k305': ('3.11', 'keras==3.0.5 tensorflow-cpu==2.16.2', 'containers_modern containers_npz'),
    'k215': ('3.11', 'keras==2.15.0 tensorflow-cpu==2.15.1', 'containers_modern containers_npz'),
    'k213': ('3.8', 'keras==2.13.1 tensorflow-cpu==2.13.1', 'containers_modern containers_npz'),
    'k24': ('3.8', 'tensorflow-cpu==2.4.4', 'containers_ops'),
    'k23': ('3.8', 'tensorflow-cpu==2.3.4 protobuf<3.20', 'containers_ops'),
    'k115': ('3.7', 'as k231', 'containers_ops'),
    'k231': ('3.7', 'keras==2.3.1 tensorflow==1.15.5 numpy<1.19 h5py<3 protobuf<4', 'containers_classic'),
    'k225': ('3.6', 'keras==2.2.5 tensorflow==1.14.0 numpy<1.17 h5py<3 protobuf<4', 'containers_classic'),
    'k209': ('3.6', 'keras==2.0.9 tensorflow==1.4.1 theano==1.0.5 numpy<1.17 h5py<3 scipy', 'containers_classic'),
    'k209th': ('3.6', 'as k209', 'containers_classic'),
    'k122': ('3.6', 'keras==1.2.2 tensorflow==1.1.0 theano==0.9.0 numpy<1.17 h5py<3 scipy', 'containers_classic'),
    'k122th': ('3.6', 'as k122', 'containers_classic'),
    'k108th': ('3.6', 'keras==1.0.8 theano==0.9.0 numpy<1.17 h5py<3 scipy', 'containers_classic'),
    'k033th': ('3.6', 'keras==0.3.3 theano==0.9.0 numpy<1.17 h5py<3 scipy', 'containers_ancient'),
}
SAME_PYTHON = {'k350np': 'k350jax', 'k115': 'k231', 'k209th': 'k209', 'k122th': 'k122'}
CHECKERS = ('k315', 'tfk221')
TOOLS = os.path.dirname(os.path.abspath(__file__))


def run(python, home, module, *arguments):
    writer = arguments[-1]
    environment = dict(os.environ, HOME=os.path.join(home, writer), PYTHONDONTWRITEBYTECODE='1',
                       KERAS_BACKEND='theano' if writer.endswith('th') else 'tensorflow')
    os.makedirs(environment['HOME'], exist_ok=True)
    done = subprocess.run([python, '-m', f'fixtures.{module}', *arguments], cwd=TOOLS, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    sys.stdout.write(done.stdout)
    sys.stdout.flush()
    if done.returncode:
        sys.exit(f'{module} {" ".join(arguments)} failed:\n{done.stderr[-3000:]}')


def size_of(path):
    if os.path.isdir(path):
        return sum(size_of(os.path.join(path, name)) for name in os.listdir(path))
    return os.path.getsize(path)


def make_index(out):
    records = []
    for name in sorted(os.listdir(os.path.join(out, '.records'))):
        with open(os.path.join(out, '.records', name)) as file:
            records.append(json.load(file))
    versions = {record['writer']: record.pop('versions') for record in records}
    records.sort(key=lambda record: record['file'])
    for record in records:
        record.pop('difference', None)
        if record['golden'] is None:
            del record['tolerance']
    lines = ',\n'.join('  ' + json.dumps(record) for record in records)
    writers = ',\n'.join(f'  {json.dumps(writer)}: {json.dumps(versions[writer])}' for writer in sorted(versions))
    with open(os.path.join(out, 'index.json'), 'w') as file:
        file.write('{"writers": {\n' + writers + '\n },\n "files": [\n' + lines + '\n ]}\n')
    total = sum(size_of(os.path.join(out, name)) for name in os.listdir(out) if name != '.records')
    print(f'{len(records)} files, {total / 1e6:.2f} MB with their goldens')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out')
    parser.add_argument('pythons', nargs='+', metavar='WRITER=PYTHON', help=', '.join(WRITERS))
    parser.add_argument('--only', nargs='+', metavar='WRITER', help='leave the files of the others as they are')
    parser.add_argument('--keep-records', action='store_true', help='keep OUT/.records, which --only needs')
    arguments = parser.parse_args()
    out = os.path.abspath(arguments.out)
    pythons = dict(item.split('=', 1) for item in arguments.pythons)
    for writer, other in SAME_PYTHON.items():
        pythons.setdefault(writer, pythons.get(other))
    with tempfile.TemporaryDirectory() as home:  # every generation has its own idea of keras.json and Theano's cache
        for writer, (_, _, modules) in WRITERS.items():
            for module in modules.split():
                if pythons.get(writer) and (not arguments.only or writer in arguments.only):
                    run(pythons[writer], home, module, out, writer)
        for writer in CHECKERS:
            run(pythons[writer], home, 'containers_check', out, writer)
    make_index(out)
    if not arguments.keep_records:
        shutil.rmtree(os.path.join(out, '.records'))


if __name__ == '__main__':
    main()
