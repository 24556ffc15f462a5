"""memory.py BIN [ROWS...]: peak memory of ingest and statistics, by the size of the table.

BIN is the directory of the command of a release build. The table is like that of statistics.py:
8 integers, 7 floats, 2 texts - one of them different in most rows -, a column that is always
empty. What counts is that ten times the rows take the same memory. Peaks of the processes that
did the work, with the pages of files that they had mapped.
"""
import json, os, random, re, subprocess, sys, tempfile, time

PIPELINE = {"headrace": 1, "name": "memory", "nodes": {
    "examples": {"component": "CsvExampleGen",
                 "properties": {"input_base": "data", "splits": {"train": 2, "eval": 1}}},
    "statistics": {"component": "StatisticsGen", "inputs": {"examples": "examples"}}}}
BLOCK = 10000


def make(path, rows):
    """Blocks of rows are alike but for the text that differs in most of them."""
    r = random.Random(7)
    block = []
    for _ in range(BLOCK):
        ints = [r.randrange(n) for n in (2, 7, 12, 24, 77, 1000, 100000, 2**40)]
        floats = [round(r.lognormvariate(2, s), d) for s, d in
                  ((1, 2), (.5, 2), (1, 1), (2, 6), (.1, 3), (1, 6), (3, 2))]
        block.append(','.join(map(str, ints + floats)) + ',company %d,' % (r.paretovariate(.5) % 100))
    with open(path, 'w') as f:
        f.write(','.join(['i%d' % k for k in range(8)] + ['f%d' % k for k in range(7)]) + ',t0,t1,empty\n')
        for at in range(0, rows, BLOCK):
            f.writelines('%sid%d,\n' % (row, r.randrange(rows)) for row in block[:rows - at])


def peaks(command, cwd):
    """Megabytes of each process of a command, greatest first: all, and without files."""
    best, done = {}, subprocess.Popen(command, cwd=cwd, start_new_session=True)
    while done.poll() is None:
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                if os.getsid(int(pid)) != done.pid:
                    continue
                text = open('/proc/%s/status' % pid).read()
                both = [int(re.search(key + r':\s+(\d+)', text)[1]) / 1024 for key in ('VmHWM', 'RssAnon')]
            except (OSError, TypeError):
                continue
            best[pid] = [max(a, b) for a, b in zip(both, best.get(pid, (0, 0)))]
        time.sleep(.01)
    assert done.returncode == 0
    return sorted(best.values(), reverse=True)


def main():
    command = os.path.join(os.path.abspath(sys.argv[1]), 'headrace')
    for rows in [int(x) for x in sys.argv[2:]] or [1000000, 10000000]:
        with tempfile.TemporaryDirectory() as top:
            os.mkdir(top + '/data')
            make(top + '/data/a.csv', rows)
            with open(top + '/pipeline.json', 'w') as f:
                json.dump(PIPELINE, f)
            for node in ('examples', 'statistics'):
                most = peaks([command, 'run', '--quiet', '--to', node], top)[0]
                print('%d rows, %s: peak %.0f MB, of it %.0f not of files' % (rows, node, *most))


main()
