import { expect, test } from 'vitest';
import { Batcher } from '../../../../../lib/cache/shared/batch.ts';
import { nextTurn } from '../clock.ts';

test('what is asked in one turn goes together, in parts of the size that is allowed', async () => {
  const sent: number[][] = [];
  const batcher = new Batcher<number, number>(async (items) => sent.push([...items]), 3);
  const replies = [1, 2, 3, 4].map((item) => {
    const batch = batcher.join();
    batch.items.push(item);
    return batch.reply;
  });
  expect(batcher.open?.items).toEqual([4]);
  expect(await Promise.all(replies)).toEqual([1, 1, 1, 2]);
  expect(sent).toEqual([[1, 2, 3], [4]]);
  await nextTurn();
  expect(batcher.open).toBe(undefined);
  batcher.join().items.push(5);
  await nextTurn();
  expect(sent.at(-1)).toEqual([5]);
});

test('what fails, fails for all who are in it, and for nobody else', async () => {
  let isDown = true;
  const batcher = new Batcher<number, string>(async () => {
    if (isDown) throw new Error('down');
    return 'up';
  }, 10);
  const [one, other] = [batcher.join(), batcher.join()];
  expect(one).toBe(other);
  await expect(one.reply).rejects.toThrow('down');
  isDown = false;
  await expect(batcher.join().reply).resolves.toBe('up');
});
