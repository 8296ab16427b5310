"""Things that are no files, or no models."""
import os

from . import tiny
from .case import PICTURE, Case, model_runs
from .mutations import picture_model


def cases():
    def fifo(place):
        os.mkfifo(place.folder / 'pipe.h5')
        os.mkfifo(place.folder / 'pipe.png')
        return model_runs('in/pipe.h5')[:8] + [['predict', picture_model(), 'in/pipe.png'], ['predict', picture_model(), str(PICTURE), '--labels', 'in/pipe.png'],
                                               ['convert', 'in/pipe.h5', 'out/x.npz', '--architecture', 'in/pipe.h5']]

    def folder(place):
        (place.folder / 'folder.h5').mkdir()
        (place.folder / 'folder.png').mkdir()
        return model_runs('in/folder.h5')[:8] + [['predict', picture_model(), 'in/folder.png']]

    def special(path):
        return lambda place: model_runs(path)[:6] + [['predict', picture_model(), path], ['diff', path, path], ['predict', picture_model(), str(PICTURE), '--labels', path]]

    def loop(place):
        (place.folder / 'loop.h5').symlink_to('loop.h5')
        (place.folder / 'gone.h5').symlink_to('nowhere')
        return [['inspect', 'in/loop.h5'], ['inspect', 'in/gone.h5'], ['check', 'in/loop.h5'], ['predict', picture_model(), 'in/loop.h5']]

    def targets(place):
        """Outputs that are links, folders or devices already."""
        config, weights = tiny.good()
        tiny.h5(place.folder / 'model.h5', config, weights)
        out = place.folder.parent / 'out'
        (out / 'link.h5').symlink_to(place.outside / 'written.h5')
        (out / 'viz').symlink_to(place.outside)
        os.mkfifo(out / 'pipe.h5')
        return [['convert', 'in/model.h5', 'out/link.h5'], ['convert', 'in/model.h5', '/dev/full'], ['convert', 'in/model.h5', 'in/model.h5'],
                ['extract', 'in/model.h5', str(PICTURE), '-o', 'out/link.h5'], ['viz', 'in/model.h5', str(PICTURE), '-o', 'out/viz'],
                ['slice', 'in/model.h5', '--outputs', '*', '-o', 'out/none/x.h5'], ['convert', 'in/model.h5', 'out/pipe.h5', '--force'],
                ['viz', 'in/model.h5', str(PICTURE), '-o', 'out/pipe.h5', '--force']]

    def sparse(place):
        path = place.folder / 'sparse.h5'
        with open(path, 'wb') as file:
            file.truncate(1 << 40)
        with open(place.folder / 'sparse-hdf5.h5', 'wb') as file:
            file.write(b'\x89HDF\r\n\x1a\n')
            file.truncate(1 << 40)
        for name, start in (('sparse.json', b'{'), ('sparse.png', b'\x89PNG\r\n\x1a\n'), ('sparse.npy', b'\x93NUMPY\1\0'), ('sparse.txt', b'a\n'), ('sparse.npz', b'PK\3\4')):
            with open(place.folder / name, 'wb') as file:
                file.write(start)
                file.truncate(6 << 30)
        return [['inspect', 'in/sparse.h5'], ['inspect', 'in/sparse-hdf5.h5'], ['inspect', 'in/sparse.json'], ['predict', picture_model(), 'in/sparse.png'],
                ['predict', picture_model(), 'in/sparse.npy'], ['predict', picture_model(), 'in/sparse.npz'],
                ['predict', picture_model(), str(PICTURE), '--labels', 'in/sparse.txt'], ['inspect', 'in/sparse.npz']]

    texts = {
        'empty': b'', 'lfs': b'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n', 'html': b'<!DOCTYPE html><html><script>hostile()</script>',
        'html-space': b'\n\n   <html>', 'xml': b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', 'text': b'not found', 'nul': bytes(100_000), 'elf': b'\x7fELF' + bytes(500),
        'pickle': b"cos\nsystem\n(S'touch out/pickle-ran'\ntR.", 'gzip': b'\x1f\x8b\x08' + bytes(100), 'tar': b'x' * 257 + b'ustar\0' + bytes(300), 'signature': b'\x89HDF\r\n\x1a\n',
        'signature-late': bytes(1 << 20) + b'\x89HDF\r\n\x1a\n' + bytes(200), 'zip-signature': b'PK\3\4', 'onnx': b'\x08\x07\x12\x07pytorch', 'protobuf': b'\x0a\x8a\x01',
        'yaml': b'backend: tensorflow\nclass_name: Sequential\n', 'json-list': b'[]', 'json-null': b'null', 'brace': b'{', 'weight-map': b'{"weight_map": 7}',
        'escape': b'\x1b[2J\x1b]0;x\x07', 'controls-html': b'<\x1b[31m>',
    }
    made = [Case('input-' + name, lambda place, data=data: model_runs(place.write('file.h5', data)) + [
        ['predict', picture_model(), place.write('file.png', data)], ['predict', picture_model(), place.write('file.npy', data)]]) for name, data in texts.items()]
    return made + [Case('input-fifo', fifo), Case('input-folder', folder), Case('input-link-loop', loop), Case('input-targets', targets), Case('input-sparse', sparse)] + [
        Case('input-' + path.strip('/').replace('/', '-'), special(path)) for path in ('/dev/zero', '/dev/null', '/dev/stdin', '/dev/tty', '/proc/self/mem', '/proc/self/maps', '/')]
