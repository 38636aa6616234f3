/** Code that a program has, and that V8 compiles when it is first needed. */
import { Script } from 'node:vm';

/** Functions that have nothing to do with each other, as those of a large bundle: none is compiled yet. */
export function manyFunctions(count: number): ((by: number) => number)[] {
  const texts = Array.from({ length: count }, (_, id) => textOf(id));
  return new Script(`[${texts.join(',\n')}]`, { filename: 'bundle.js' }).runInThisContext();
}

/** Loops, an object, strings and a closure: about 500 bytes of source. */
function textOf(id: number): string {
  return `function step${id}(by) {
  const order = { id: ${id}, name: 'order ${id}', lines: [by, by + 1, by + ${id % 17}], total${id}: 0 };
  const priced = order.lines.map((line, place) => ({ line, place, price: line * ${(id % 9) + 1}.5 }));
  for (const { price } of priced) order.total${id} += price > ${id % 50} ? price : -price;
  if (order.name.length > ${id % 12}) order.label = order.name.toUpperCase() + ' / ' + by;
  const discount = (share) => order.total${id} * (1 - share / ${100 + id});
  return discount(by) + priced.length;
}`;
}
