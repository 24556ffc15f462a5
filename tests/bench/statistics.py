"""statistics.py PROGRAM [ROWS...]: statistics of a CSV file against DuckDB's SUMMARIZE, in CPU time.

PROGRAM is tests/statistics of a release build. Needs duckdb and numpy (PyPI). The table is like the taxi trips: 8 integers, 7 floats, 2 texts, a column
that is always empty; 0.05 to 33 % missing. Both get it in memory: what is compared is the work on it. In turn, medians of three.
Means, deviations, minima, maxima are compared first; counts of different texts within DuckDB's own error.
"""
import json, math, os, subprocess, sys, tempfile

sys.path.pop(0)  # this file has the name of a module of Python's
import numpy as np


def make(path, rows):
    r = np.random.default_rng(7)
    ints = {f'i{k}': r.integers(0, n, rows) for k, n in enumerate((2, 7, 12, 24, 77, 1000, 100000, 2**40))}
    floats = {f'f{k}': np.round(r.lognormal(2, s, rows), d) for k, (s, d) in enumerate(((1, 2), (.5, 2), (1, 1), (2, 6), (.1, 3), (1, 6), (3, 2)))}
    texts = {'t0': np.char.add('company ', (r.zipf(1.5, rows) % 100).astype(str)), 't1': np.char.add('id', r.integers(0, rows, rows).astype(str))}
    columns = {**ints, **floats, **texts}
    gaps = {'i5': .33, 'f6': .05, 't0': .2, 'i6': .0005}
    with open(path, 'w') as f:
        f.write(','.join(columns) + ',empty\n')
        lists = []
        for name, v in columns.items():
            s = v.astype(str).astype(object)
            if name in gaps:
                s[r.random(rows) < gaps[name]] = ''
            lists.append(s)
        for row in zip(*lists):
            f.write(','.join(row) + ',\n')


def peer(path):
    """In a process of its own: CPU of SUMMARIZE over a table in memory, and its rows."""
    code = f'''
import duckdb, json, resource
c = duckdb.connect(); c.execute('SET threads=1'); c.execute('SET enable_progress_bar=false')
def cpu(): u = resource.getrusage(resource.RUSAGE_SELF); return u.ru_utime + u.ru_stime
a = cpu(); c.execute("CREATE TABLE t AS SELECT * FROM read_csv('{path}')")
b = cpu(); rows = c.execute("SUMMARIZE t").fetchall()
print(json.dumps([b - a, cpu() - b, [[str(x) for x in r] for r in rows], int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) / 1024]))'''
    return json.loads(subprocess.check_output([sys.executable, '-c', code]))


def check(ours, theirs):
    for name, kind, low, high, unique, mean, std, *_ in theirs:
        got = ours.get(name)
        if kind == 'VARCHAR':
            assert name == 'empty' or abs(got[0] - int(unique)) <= .25 * got[0], (name, got, unique)
            continue
        for a, b, bound in ((got[0], mean, 1e-5), (got[2], low, 1e-6), (got[3], high, 1e-6)):
            assert math.isclose(a, float(b), rel_tol=bound, abs_tol=1e-6), (name, a, b)


def main():
    program, sizes = os.path.abspath(sys.argv[1]), [int(x) for x in sys.argv[2:]] or [100000, 1000000]
    with tempfile.TemporaryDirectory() as tmp:
        last = None
        for rows in sizes:
            path = f'{tmp}/t.csv'
            make(path, rows)
            mine, them = [], []
            for _ in range(3):
                ours = json.loads(subprocess.check_output([program, path, '1']))
                theirs = peer(path)
                mine.append(ours['statistics'])
                them.append(theirs[1])
            check(ours, theirs[2])
            a, b = sorted(mine)[1], sorted(them)[1]
            growth = f', growth {math.log(a / last[1]) / math.log(rows / last[0]):.2f}' if last else ''
            print(f'{rows} rows x 18: {a:.3f} s, DuckDB {b:.3f} s, ratio {a / b:.2f}{growth} (reading {ours["read"]:.3f} s, DuckDB {theirs[0]:.3f} s), peak {ours["peak_mb"]:.0f} MB, DuckDB {theirs[3]:.0f} MB')
            last = (rows, a)


main()
