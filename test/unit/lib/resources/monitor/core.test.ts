import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { MonitorParts } from '../../../../../lib/resources/monitor/core.ts';
import { FakeRuntime, monitorIn } from './fake-runtime.ts';

let runtime: FakeRuntime;

beforeEach(() => {
  runtime = new FakeRuntime();
});

const settings = (overrides: Partial<MonitorParts['settings']>) => ({
  settings: overrides as MonitorParts['settings'],
});

const times = (count: number, work: () => void) => {
  for (let done = 0; done < count; done++) work();
};

describe('a sample', () => {
  test('comes every so many invocations, and is counted by them', () => {
    const { invoke, samples } = monitorIn(runtime, settings({ sampleEvery: 10 }));
    times(35, () => invoke());
    expect(samples().map(({ invocation, invocations }) => [invocation, invocations])).toEqual([
      [10, 10],
      [20, 10],
      [30, 10],
    ]);
  });

  test('has the sums since the one before, and what is there now', () => {
    const { invoke, samples } = monitorIn(runtime, settings({ sampleEvery: 2 }));
    invoke(() => runtime.work(30));
    runtime.open = { Timeout: 2 };
    runtime.warnings = 3;
    invoke(() => runtime.wait(70));
    expect(samples()[0]).toMatchObject({
      heapUsedBytes: 1_000,
      externalBytes: 300,
      rssBytes: 5_000,
      spaces: { old_space: 700 },
      cpuMs: 30,
      wallMs: 100,
      eventLoop: { utilization: 0.3 },
      resources: { Timeout: 2 },
      descriptors: 20,
      listenerWarnings: 3,
      floor: null,
    });
    invoke(() => runtime.work(1));
    invoke();
    expect(samples()[1]).toMatchObject({ cpuMs: 1, wallMs: 1, listenerWarnings: 0, eventLoop: { utilization: 1 } });
  });

  test('has nothing of what happens between two invocations, such as a freeze', () => {
    const { invoke, samples } = monitorIn(runtime, settings({ sampleEvery: 2 }));
    invoke(() => runtime.work(10));
    runtime.freeze(3_600_000);
    runtime.work(50);
    invoke(() => runtime.work(10));
    expect(samples()[0]).toMatchObject({ cpuMs: 20, wallMs: 20, eventLoop: { utilization: 1 } });
  });

  test('goes to the sink, and a sink that fails harms nobody', () => {
    const sink = vi.fn<() => void>();
    const { invoke, monitor } = monitorIn(runtime, settings({ sink }));
    invoke();
    expect(sink).toHaveBeenCalledWith(monitor.series().samples[0], monitor.environment);
    sink.mockImplementation(() => {
      throw new Error('no room');
    });
    expect(() => invoke()).not.toThrow();
    expect(monitor.series().samples).toHaveLength(2);
  });

  test('goes to a sink that fails later, and that harms nobody either', async () => {
    // Vitest fails the run for a rejection that nobody handles; a mock would handle it.
    const { invoke, samples } = monitorIn(runtime, settings({ sink: () => Promise.reject(new Error('no room')) }));
    invoke();
    await new Promise(setImmediate);
    expect(samples()).toHaveLength(1);
  });
});

describe('what is left running', () => {
  test('is what was not there when the invocation began', () => {
    runtime.open = { Timeout: 1, TCPSocketWrap: 2 };
    const { invoke, samples } = monitorIn(runtime);
    invoke(() => {
      runtime.open = { Timeout: 3, TCPSocketWrap: 1, FSReqCallback: 1 };
    });
    invoke();
    expect(samples().map(({ leftRunning }) => leftRunning)).toEqual([{ Timeout: 2, FSReqCallback: 1 }, {}]);
  });

  test('is asked for in invocations alone at whose end a sample is due', () => {
    const { invoke } = monitorIn(runtime, settings({ sampleEvery: 10 }));
    times(9, () => invoke());
    expect(runtime.counted).toBe(0);
    invoke();
    expect(runtime.counted).toBe(2);
  });
});

describe('a floor', () => {
  test('comes every so many invocations, after everything else was measured', () => {
    const { invoke, samples, leftOut } = monitorIn(runtime, settings({ sampleEvery: 2, floorEvery: 4 }));
    times(8, () => invoke(() => runtime.work(1)));
    expect(samples().map(({ floor }) => floor)).toEqual([
      null,
      { heapBytes: 600, externalBytes: 250, collectMs: 5 },
      null,
      { heapBytes: 600, externalBytes: 250, collectMs: 5 },
    ]);
    expect(samples().map(({ cpuMs }) => cpuMs)).toEqual([2, 2, 2, 2]);
    expect(leftOut).toEqual([
      [4, 9],
      [13, 18],
    ]);
  });

  test('makes a sample of its own where none is due', () => {
    const { invoke, samples } = monitorIn(runtime, settings({ sampleEvery: 10, floorEvery: 3 }));
    times(6, () => invoke());
    expect(samples().map(({ invocation, invocations }) => [invocation, invocations])).toEqual([
      [3, 3],
      [6, 3],
    ]);
  });

  test('is not taken when too little time is left, and is tried again soon', () => {
    const { invoke, samples, collected } = monitorIn(runtime, settings({ sampleEvery: 100, floorEvery: 50 }));
    times(54, () => invoke(undefined, 15));
    expect(collected).toEqual([]);
    expect(samples()).toEqual([]);
    invoke();
    expect(samples().map(({ invocation, floor }) => [invocation, floor !== null])).toEqual([[55, true]]);
  });

  test('can be asked for, even where none is ever due', () => {
    const { invoke, samples, monitor } = monitorIn(runtime, settings({ sampleEvery: 100 }));
    monitor.requestFloor();
    times(10, () => invoke(undefined, 15));
    expect(samples()).toEqual([]);
    invoke();
    expect(samples().map(({ invocation, floor }) => [invocation, floor !== null])).toEqual([[11, true]]);
    times(50, () => invoke());
    expect(samples()).toHaveLength(1);
  });

  test('is never taken while another invocation is under way', () => {
    const { monitor, collected } = monitorIn(runtime, settings({ floorEvery: 1, sampleEvery: 1 }));
    const long = monitor.begin();
    times(5, () => monitor.end(monitor.begin()));
    expect(collected).toHaveLength(0);
    monitor.end(long);
    expect(collected).toHaveLength(1);
  });
});

describe('invocations that overlap', () => {
  test('count once for the time in which they do', () => {
    const { monitor, samples } = monitorIn(runtime, settings({ sampleEvery: 2 }));
    const first = monitor.begin();
    runtime.work(10);
    const second = monitor.begin();
    runtime.work(10);
    monitor.end(first);
    runtime.wait(20);
    monitor.end(second);
    expect(samples()).toHaveLength(1);
    expect(samples()[0]).toMatchObject({ cpuMs: 20, wallMs: 40, invocations: 2, invocation: 2 });
    expect(samples()[0]).not.toHaveProperty('underWay');
  });

  test('wait for a moment of rest, but not for ever', () => {
    const { monitor, samples } = monitorIn(runtime, settings({ sampleEvery: 5, floorEvery: 5 }));
    let current = monitor.begin();
    let sockets = 0;
    times(120, () => {
      const next = monitor.begin();
      runtime.open = { TCPSocketWrap: ++sockets };
      runtime.work(1);
      monitor.end(current);
      current = next;
    });
    expect(
      samples().map(({ invocation, underWay, floor, leftRunning }) => [invocation, underWay, floor, leftRunning]),
    ).toEqual([
      [55, 1, null, {}],
      [110, 1, null, {}],
    ]);
    expect(samples()[1]).toMatchObject({ cpuMs: 55, wallMs: 55, invocations: 55, resources: { TCPSocketWrap: 110 } });
  });

  test('have each sample at another invocation', () => {
    const { monitor, samples } = monitorIn(runtime);
    const open = Array.from({ length: 40 }, () => monitor.begin());
    for (const invocation of open) monitor.end(invocation);
    const invocations = samples().map(({ invocation }) => invocation);
    expect(invocations.length).toBeGreaterThan(1);
    expect(new Set(invocations).size).toBe(invocations.length);
  });
});

describe('an invocation of which nobody says that it ended', () => {
  test('has ended when the next one begins, where there is one at a time', () => {
    const { monitor, invoke, samples } = monitorIn(runtime, { isSequential: true });
    monitor.begin();
    runtime.freeze(1_000);
    invoke(() => runtime.work(3));
    expect(samples()).toHaveLength(1);
    expect(samples()[0]).toMatchObject({ cpuMs: 3, wallMs: 3, invocation: 2 });
  });

  test('has ended when its time is over, elsewhere', () => {
    const { monitor, invoke, samples } = monitorIn(runtime, settings({ sampleEvery: 1, floorEvery: 10 }));
    let remainingMs = 1;
    monitor.begin({ getRemainingTimeInMillis: () => remainingMs });
    times(11, () => invoke());
    remainingMs = 0;
    times(22, () => invoke());
    expect(samples()[0]).toMatchObject({ underWay: 1, floor: null });
    expect(samples().at(-1)).not.toHaveProperty('underWay');
    expect(samples().some(({ floor }) => floor)).toBe(true);
  });

  test('without a context has ended after the longest that Lambda lets one run', () => {
    const { monitor, invoke, samples } = monitorIn(runtime);
    monitor.begin();
    times(11, () => invoke());
    expect(samples().at(-1)).toHaveProperty('underWay');
    runtime.wait(900_001);
    times(12, () => invoke());
    expect(samples().at(-1)).not.toHaveProperty('underWay');
  });

  test('is not kept, however many there are', () => {
    const { monitor } = monitorIn(runtime);
    let asked = 0;
    times(10_000, () => {
      monitor.begin({
        getRemainingTimeInMillis: () => {
          asked++;
          return 0;
        },
      });
    });
    // Each is looked at once or twice before it is dropped.
    expect(asked).toBeGreaterThan(9_000);
    expect(asked).toBeLessThan(20_000);
  });
});

test('the end of an invocation can be told twice', () => {
  const { monitor, samples } = monitorIn(runtime);
  const invocation = monitor.begin();
  monitor.end(invocation);
  monitor.end(invocation);
  expect(samples()).toHaveLength(1);
});

test('what the ring keeps is bounded, and a copy is handed out', () => {
  const { invoke, samples, monitor } = monitorIn(runtime, settings({ ring: 5 }));
  times(20, () => invoke());
  expect(samples().map(({ invocation }) => invocation)).toEqual([16, 17, 18, 19, 20]);
  monitor.series().samples.pop();
  expect(samples()).toHaveLength(5);
});

test('the first invocation is told of once', () => {
  const onFirst = vi.fn();
  const { invoke } = monitorIn(runtime, { onFirst });
  runtime.wait(250);
  times(3, () => invoke());
  expect(onFirst.mock.calls).toEqual([[250]]);
});
