import { describe, expect, it } from 'vitest';
import { blessed, parseStatusList, printStatusList, rankOf } from './status-list.ts';

const list = parseStatusList('a compiled\nb evaluated: no kernel\nc unsupported: no operator # lowered from compiled: it was wrong\n');
const found = (name: string, status: string): ReadonlyMap<string, string> => new Map([[name, status]]);
const entry = (name: string, status: string, reason?: string): unknown => blessed(list, found(name, status), reason).get(name);

describe('the status list', () => {
  it('is read as it is written, sorted', () => {
    expect(parseStatusList(printStatusList(new Map([...list].reverse())))).toEqual(list);
    expect(list.get('c')).toEqual({ status: 'unsupported: no operator', lowered: 'compiled: it was wrong' });
  });

  it('has ranks for the statuses that may be expected', () => {
    const statuses = ['compiled', 'compiled-constants', 'folded', 'evaluated: x', 'evaluated-constants: x', 'folded: x', 'unsupported: x'];
    expect(statuses.map(rankOf)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    for (const bug of ['failed: x', 'crashed: x', 'compiled: x', 'evaluated']) expect(rankOf(bug), bug).toBeUndefined();
  });

  it('takes new cases and better statuses, and forgets then why they were lower', () => {
    expect(entry('d', 'unsupported: x')).toEqual({ status: 'unsupported: x' });
    expect(entry('b', 'folded')).toEqual({ status: 'folded' });
    expect(entry('c', 'compiled')).toEqual({ status: 'compiled' });
  });

  it('takes another reason of the same status, and keeps why it is lower', () => {
    expect(entry('b', 'evaluated: too large')).toEqual({ status: 'evaluated: too large' });
    expect(entry('c', 'unsupported: other')).toEqual({ status: 'unsupported: other', lowered: 'compiled: it was wrong' });
  });

  it.each(['compiled-constants', 'folded', 'evaluated: x', 'unsupported: x', 'failed: x'])(
    'lowers none to %s without a reason',
    (status) => {
      for (const reason of [undefined, '', '  '])
        expect(() => blessed(list, found('a', status), reason)).toThrow(`a: compiled → ${status}`);
      expect(entry('a', status, 'because')).toEqual({ status, lowered: 'compiled: because' });
    },
  );
});
