"""Runs h5conv on the hostile set and counts what must not happen.

    tools/hostile [--count MUTATIONS] [--seed N | --fresh] [--runs N] [--spend SECONDS] [--only TEXT]
                  [--binary FILE] [--keep FOLDER] [-- ARGUMENTS FOR h5conv]

Without --seed there are two rounds: all made files and the mutations of seed 1, then as many mutations of a seed that is printed, by
which the round can be run again. What must not happen, each counted in runs:

    crash      a signal, or the last words of Swift, glibc or HDF5 on stderr
    hang       longer than --limit seconds
    slow       more than --busy seconds of processor time
    oom        more memory than --memory megabytes, and a tenth, in one of its processes
    leak       a temporary file left, a result beside an error, a process that lives on
    stray      a file written or changed outside the output folder
    read       the content of another file in the output
    code       code from a file was run, a plug-in was loaded
    escape     a control or bidirectional character on stdout or stderr
    html       a name that is markup in index.html
    lines      an error in more or less than one line on stderr
    exit code  one that is not documented, or not of this command

`contained` are runs that ended in one line and exit code 70: a crash that was caught. They are not breaches, and listed with --contained.
"""
import argparse
import collections
import html.parser
import json
import multiprocessing
import os
import pathlib
import re
import resource
import select
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

from hostile_set import cases
from hostile_set.case import SECRET_NUMBER, SECRET_TEXT, Place, make_outside, seeded

BREACHES = ['crash', 'hang', 'slow', 'oom', 'leak', 'stray', 'read', 'code', 'escape', 'html', 'lines', 'exit code']
LAST_WORDS = re.compile(rb'Fatal error|Current stack trace|\*\*\* Signal|HDF5-DIAG|\*\*\* (?:stack smashing|buffer overflow)|free\(\): |malloc\(\): |'
                        rb'corrupted size|double free|munmap_chunk|Assertion .* failed|terminate called|AddressSanitizer|Traceback')
# C0 but line feed, DEL, C1, bidirectional controls, zero-width characters, separators.
HIDDEN = re.compile('[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]')
NOTES = ('preprocess: ', 'warning: ', 'changed: ', 'note: ')
SECRETS = [SECRET_TEXT.encode(), struct.pack('<f', SECRET_NUMBER) * 3, struct.pack('<d', SECRET_NUMBER) * 3, b'31337.25', b'root:x:0:0']


def codes_of(command):
    codes = {0, 64, 65, 66, 69, 70, 73, 74, 75}
    return codes | {'diff': {1, 2}, 'check': {1}}.get(command, set())


class Markup(html.parser.HTMLParser):
    """Finds markup in a page that h5conv did not write. A report has one script of its own, data, and pictures of architectures."""

    def __init__(self, is_report=False):
        super().__init__()
        self.found, self.has_policy, self.is_report, self.scripts = [], False, is_report, 0

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if attributes.get('http-equiv', '').lower() == 'content-security-policy':
            self.has_policy = True
        is_own = False
        if self.is_report and tag == 'script':
            self.scripts += not attributes
            is_own = self.scripts <= 1 if not attributes else attributes.get('type') in ('application/json', 'text/plain')
        elif self.is_report and tag == 'svg':
            is_own = True
        if tag in ('script', 'iframe', 'object', 'embed', 'svg', 'link', 'base', 'form') and not is_own or any(name.startswith('on') for name in attributes):
            self.found.append(tag)
        for name in ('href', 'src'):
            if not attributes.get(name, './').startswith(('./', '#', 'manifest.json')):
                self.found.append(attributes[name])


def listing(folder):
    """What is in a folder: names, sizes and times."""
    found = {}
    for root, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(root, name)
            status = os.lstat(path)
            found[path] = (status.st_size, status.st_mtime_ns, status.st_mode) if name in files else None
    return found


def children():
    """Processes that lost their parent and came to us."""
    with open(f'/proc/self/task/{os.getpid()}/children') as file:
        return [int(each) for each in file.read().split()]


def memory_of(process):
    """Megabytes of a process and its children."""
    total = 0
    try:
        with open(f'/proc/{process}/statm') as file:
            total = int(file.read().split()[1]) * resource.getpagesize() >> 20
        with open(f'/proc/{process}/task/{process}/children') as file:
            total += sum(memory_of(int(each)) for each in file.read().split())
    except OSError:
        pass
    return total


class Runner:
    def __init__(self, options, root):
        self.options, self.root = options, pathlib.Path(root)
        self.outside = self.root / 'outside'
        import ctypes
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: what is left over comes to us
        self.environment = {'PATH': os.environ['PATH'], 'LANG': 'C.UTF-8', 'HDF5_PLUGIN_PATH': str(self.outside / 'plugins')}

    def case(self, case, seed):
        """Runs one case: [(kind of finding or outcome, description)], for each run."""
        place = self.root / f'case-{os.getpid()}'
        shutil.rmtree(place, ignore_errors=True)
        for name in ('in', 'out', 'tmp', 'home'):
            (place / name).mkdir(parents=True)
        results = []
        at = Place(place / 'in', self.outside, seeded(seed, case.name))
        runs = case.make(at)
        if self.options.runs:
            # The first looks at everything.
            runs = runs[:1] + at.rng.sample(runs[1:], min(self.options.runs, len(runs)) - 1) if self.options.runs > 1 else [at.rng.choice(runs)]
        if self.options.spend:
            runs = runs[:1] + at.rng.sample(runs[1:], len(runs) - 1)
        before = {**listing(place / 'in'), **listing(self.outside)}
        prepared = listing(place / 'out')
        spent = 0
        for run in runs:
            if self.options.spend and spent > self.options.spend:
                break
            if any('\0' in each for each in run):
                continue  # no argument can hold it
            findings, outcome, words, busy = self.run(place, run, before, prepared)
            if findings and self.options.keep and not (self.options.keep / case.name).exists():
                shutil.copytree(place, self.options.keep / case.name, symlinks=True, ignore=ignore_special)
            spent += busy
            results.append((case.name, shlex.join(run), findings, outcome, words, busy))
            self.tidy(place, prepared)
            if 'hang' in findings or 'oom' in findings:
                break  # the others would take as long
        shutil.rmtree(place, ignore_errors=True)
        return results

    def tidy(self, place, prepared):
        for path in sorted(set(listing(place / 'out')) - set(prepared), reverse=True):
            os.rmdir(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
        for name in ('tmp', 'home'):
            for path in (place / name).iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in ('plugin-was-loaded', 'absolute', 'written.h5'):
            (self.outside / path).unlink(missing_ok=True)

    def run(self, place, run, before, prepared):
        environment = {**self.environment, 'TMPDIR': str(place / 'tmp'), 'HOME': str(place / 'home')}
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen(
                [str(self.options.binary), *run, *self.options.arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=place,
                env=environment, start_new_session=True)
            status, usage, stopped = self.wait(process)
            out.seek(0)
            err.seek(0)
            stdout, stderr = out.read(64 << 20), err.read(1 << 20)
        findings = self.judge(place, run, status, usage, stopped, stdout, stderr, before, prepared)
        code = os.waitstatus_to_exitcode(status)
        outcome = 'contained' if code == 70 and stderr.count(b'\n') == 1 and not findings else str(code)
        return findings, outcome, (stderr.strip().splitlines() or [b''])[-1][:300].decode(errors='replace'), usage.ru_utime + usage.ru_stime

    def wait(self, process):
        """Waits for the end, or ends what takes too long or too much."""
        end, stopped, pause = time.monotonic() + self.options.limit, None, 0.1
        poll = select.poll()
        descriptor = os.pidfd_open(process.pid)
        poll.register(descriptor, select.POLLIN)
        while not poll.poll(pause * 1000):
            stopped = ('hang' if time.monotonic() > end else
                       'oom' if memory_of(process.pid) > 2 * self.options.memory else None)
            if stopped:
                os.killpg(process.pid, signal.SIGKILL)
                poll.poll()
                break
            pause = 0.05
        os.close(descriptor)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        return status, usage, stopped

    def judge(self, place, run, status, usage, stopped, stdout, stderr, before, prepared):
        found = [stopped] if stopped else []
        code = os.waitstatus_to_exitcode(status)
        if code < 0 and not stopped or LAST_WORDS.search(stderr):
            found.append('crash')
        if usage.ru_maxrss >> 10 > self.options.memory * 1.1 and 'oom' not in found:
            found.append('oom')
        if usage.ru_utime + usage.ru_stime > self.options.busy:
            found.append('slow')
        found += self.files(place, run, code, before, prepared)
        if any(secret in stdout or secret in stderr for secret in SECRETS):
            found.append('read')
        if stopped:
            return sorted(set(found) - {'leak'})  # it had no chance to tidy up
        for text in (stdout, stderr):
            try:
                if HIDDEN.search(text.decode()):
                    found.append('escape')
            except UnicodeDecodeError:
                found.append('escape')
        lines = stderr.decode(errors='replace').splitlines()
        errors = [line for line in lines if not line.startswith(NOTES)]
        if code in (0, 1, 2) and any(line.startswith('h5conv: ') for line in errors) or code >= 64 and (
                len(errors) != 1 or not errors[0].startswith('h5conv: ') or lines[-1] != errors[0]):
            found.append('lines')
        if code >= 0 and code not in codes_of(run[0]):
            found.append('exit code')
        return sorted(set(found))

    def files(self, place, run, code, before, prepared):
        found = []
        after = {**listing(place / 'in'), **listing(self.outside)}
        if (self.outside / 'plugin-was-loaded').exists() or any(
                (folder / name).exists() for folder in (place, place / 'out') for name in ('code-ran', 'pickle-ran', 'out/code-ran')):
            found.append('code')
        if {path: what for path, what in after.items() if path not in before or before[path] != what and what is not None}:
            found.append('stray')
        elif set(before) - set(after):
            found.append('stray')
        if set(os.listdir(place)) != {'in', 'out', 'tmp', 'home'} or os.listdir(place / 'home'):
            found.append('stray')
        made = {path for path in listing(place / 'out') if path not in prepared}
        expected = [str(place / each) for each in run if each.startswith('out/')]
        if any(not path.startswith(tuple(expected)) for path in made) if expected else made:
            found.append('leak' if any(path.endswith('.tmp') for path in made) else 'stray')
        if code not in (0, 1, 2) and made or os.listdir(place / 'tmp') or any('.tmp' in os.path.basename(path) for path in made):
            found.append('leak')
        # A process that is told to end may take a moment.
        for _ in range(20):
            if not children():
                break
            time.sleep(0.05)
        else:
            found.append('leak')
            for each in children():
                os.kill(each, signal.SIGKILL)
        while True:
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    break
            except ChildProcessError:
                break
        for path in made:
            if os.path.isfile(path) and os.path.getsize(path) < 64 << 20:
                with open(path, 'rb') as file:
                    content = file.read()
                if any(secret in content for secret in SECRETS):
                    found.append('read')
                if path.endswith(('/index.html', '/report.html')):
                    page = Markup(path.endswith('/report.html'))
                    page.feed(content.decode(errors='replace'))
                    if page.found or not page.has_policy or HIDDEN.search(content.decode(errors='replace')):
                        found.append('html')
        return found


def ignore_special(folder, names):
    """Pipes cannot be copied."""
    return [name for name in names if not os.path.isfile(os.path.join(folder, name)) and not os.path.isdir(os.path.join(folder, name))]


# A program that does nothing but what must not happen, and what that is.
MISDEEDS = {
    'exit 0': None, 'echo "h5conv: in/x: damaged" >&2; exit 65': None, 'echo "warning: x" >&2; exit 0': None,
    'kill -SEGV $$': 'crash', 'echo "Fatal error: Index out of range" >&2; exit 70': 'crash', 'echo "HDF5-DIAG: x" >&2; exit 65': 'crash',
    'sleep 5': 'hang', 'end=$((SECONDS + 2)); while [ $SECONDS -le $end ]; do :; done': 'slow', 'head -c 300000000 /dev/zero | tail -c 200000000 | tail -c 1': 'oom', 'touch out/.x.h5.1-1.tmp; exit 0': 'leak',
    'touch out/x.h5; echo "h5conv: x" >&2; exit 65': 'leak', 'touch $TMPDIR/x': 'leak', '(sleep 30 &) ; exit 0': 'leak', 'setsid sleep 30 & exit 0': 'leak',
    'touch out/y.h5': 'stray', 'touch x': 'stray', 'echo >> in/x': 'stray', 'rm in/x': 'stray', 'touch $HOME/x': 'stray', 'touch ../outside/x': 'stray',
    'cat ../outside/secret.txt': 'read', 'cp ../outside/secret.raw out/x.h5': 'read', 'touch ../outside/plugin-was-loaded': 'code', 'touch out/code-ran': 'code',
    "printf '\\033[31m'": 'escape', "printf '\\342\\200\\256' >&2": 'escape', "printf '\\377'": 'escape', "printf 'a\\tb'": 'escape',
    "mkdir out/x.h5; echo '<script>1</script>' > out/x.h5/index.html": 'html', "mkdir out/x.h5; echo '<p>' > out/x.h5/index.html": 'html',
    "mkdir out/x.h5; echo '<meta http-equiv=Content-Security-Policy><script></script><script>1</script>' > out/x.h5/report.html": 'html',
    "mkdir out/x.h5; echo '<meta http-equiv=Content-Security-Policy><img onerror=1>' > out/x.h5/report.html": 'html',
    'exit 65': 'lines', 'printf "h5conv: a\\nb\\n" >&2; exit 65': 'lines', 'echo "x: y" >&2; exit 65': 'lines', 'echo "h5conv: x" >&2; exit 2': 'exit code',
    'echo "h5conv: x" >&2; exit 139': 'exit code',
}


def check_ourselves(options):
    """Whether each misdeed is seen, and nothing is seen where there is none."""
    options.limit, options.memory, options.busy, missed = 4, 100, 0.5, 0

    class Innocent:
        name = 'self-test'

        def make(self, place):
            place.write('x', 'x')
            return [['inspect', 'in/x', 'out/x.h5']]

    with tempfile.TemporaryDirectory(prefix='h5conv-hostile-') as root:
        make_outside(pathlib.Path(root) / 'outside')
        options.binary = pathlib.Path(root) / 'misdeed'
        for script, breach in MISDEEDS.items():
            options.binary.write_text('#!/bin/bash\n' + script + '\n')
            options.binary.chmod(0o755)
            found = Runner(options, root).case(Innocent(), 1)[0][2]
            (pathlib.Path(root) / 'outside' / 'x').unlink(missing_ok=True)
            if (breach not in found) if breach else found:
                missed += 1
                print(f'hostile: {script!r} is {breach or "nothing"}, but found was {found}')
    print(f'hostile: {len(MISDEEDS) - missed} of {len(MISDEEDS)} misdeeds are told as what they are')
    sys.exit(1 if missed else 0)


def work(task):
    case, seed = task
    try:
        return runner.case(case_of[case], seed)
    except Exception as error:
        raise RuntimeError(f'{case}, seed {seed}: {error!r}') from error


def start(options, root):
    global runner
    # Each has an outside of its own: some cases lead there, to what the user may write, and others would see that.
    own = pathlib.Path(root) / str(os.getpid())
    make_outside(own / 'outside')
    runner = Runner(options, own)


def main():
    global case_of
    parser = argparse.ArgumentParser(prog='tools/hostile', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--count', type=int, default=600, help='mutations in a round (600)')
    parser.add_argument('--seed', type=int, help='one round, of this seed')
    parser.add_argument('--fresh', action='store_true', help='one round, of a seed of the moment')
    parser.add_argument('--runs', type=int, help='commands for each file, chosen by the seed (all that the case has)')
    parser.add_argument('--spend', type=float, default=0,
                        help='seconds of processor time for a file: of those that take more, commands chosen by the seed (no limit)')
    parser.add_argument('--only', default='', help='regular expression for the names of cases')
    parser.add_argument('--binary', type=pathlib.Path, default=pathlib.Path('.build/release/h5conv'))
    parser.add_argument('--keep', type=pathlib.Path, help='folder for the files of cases with findings')
    parser.add_argument('--limit', type=float, default=60, help='seconds that a run may take (60)')
    parser.add_argument('--busy', type=float, default=60, help='seconds of processor time that a run may take (60)')
    parser.add_argument('--memory', type=int, default=2300, help='megabytes that a process may take (2300: the 2 GB of address space that h5conv gives itself, and more)')
    parser.add_argument('--jobs', type=int, default=os.cpu_count())
    parser.add_argument('--contained', action='store_true', help='list contained crashes')
    parser.add_argument('--slowest', type=int, default=0, help='list so many of the slowest runs')
    parser.add_argument('arguments', nargs='*', help='added to every run of h5conv')
    parser.add_argument('--self-test', action='store_true', help='try whether misdeeds are seen, with a program that does them')
    options = parser.parse_args()
    if options.self_test:
        check_ourselves(options)
    options.binary = options.binary.resolve()
    if not options.binary.exists():
        sys.exit(f'hostile: {options.binary} is missing: swift build -c release')
    if options.keep:
        options.keep = options.keep.resolve()
        options.keep.mkdir(parents=True, exist_ok=True)
    fresh = int.from_bytes(os.urandom(4), 'little')
    all_cases = [case for case in cases(options.count) if re.search(options.only, case.name)]
    case_of = {case.name: case for case in all_cases}
    mutations = [case.name for case in all_cases if case.name.startswith('mutated-')]
    made = [case.name for case in all_cases if not case.name.startswith('mutated-')]
    if options.seed is not None or options.fresh:
        seed = fresh if options.seed is None else options.seed
        rounds = [(seed, made + mutations)]
    else:
        rounds = [(1, made + mutations), (fresh, mutations)]
    counts, outcomes, files, runs, slow = collections.Counter(), collections.Counter(), 0, 0, []
    with tempfile.TemporaryDirectory(prefix='h5conv-hostile-') as root:
        for seed, names in rounds:
            print(f'hostile: {len(names)} files, seed {seed} (again: tools/hostile --seed {seed} --count {options.count})', flush=True)
            context = multiprocessing.get_context('fork')
            with context.Pool(options.jobs, start, (options, root)) as pool:
                for results in pool.imap_unordered(work, [(name, seed) for name in names]):
                    files += 1
                    for name, run, findings, outcome, words, seconds in results:
                        runs += 1
                        counts.update(findings)
                        outcomes[outcome] += 1
                        slow.append((seconds, name, run))
                        if findings or outcome == 'contained' and options.contained:
                            print(f'{", ".join(findings) or outcome}: {name}: h5conv {run[:200]} ({outcome}, {seconds:.1f} s): {words}'
                                  .encode('unicode_escape').decode(), flush=True)
                    if files % 1000 == 0:
                        print(f'hostile: {files} files, {runs} runs so far: ' + ', '.join(f'{name} {counts[name]}' for name in BREACHES if counts[name]), flush=True)
    for seconds, name, run in sorted(slow, reverse=True)[:options.slowest]:
        print(f'{seconds:6.1f} s  {name}: {run[:120]}'.encode('unicode_escape').decode())
    print('hostile: exit codes: ' + ', '.join(f'{code} {count}×' for code, count in sorted(outcomes.items())))
    text = ', '.join(f'{name} {counts[name]}' for name in BREACHES)
    print(f'hostile: {files} files, {runs} runs: {text} (contained {outcomes["contained"]})')
    sys.exit(1 if sum(counts[name] for name in BREACHES) else 0)


if __name__ == '__main__':
    main()
