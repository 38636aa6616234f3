import type { AnyRule } from '../../../advice/configuration.ts';
import { arithmeticOnColumn } from './arithmetic-on-column.ts';
import { countAll } from './count-all.ts';
import { countDistinctLarge } from './count-distinct-large.ts';
import { countForExistence } from './count-for-existence.ts';
import { deleteWithoutBatches } from './delete-without-batches.ts';
import { distinctHidesJoin } from './distinct-hides-join.ts';
import { forUpdateWithoutSkipLocked } from './for-update-without-skip-locked.ts';
import { functionOnColumn } from './function-on-column.ts';
import { implicitCast } from './implicit-cast.ts';
import { jsonKey } from './json-key.ts';
import { leadingWildcard } from './leading-wildcard.ts';
import { missingJoinCondition } from './missing-join-condition.ts';
import { needlessDistinct } from './needless-distinct.ts';
import { notInSubquery } from './not-in-subquery.ts';
import { offsetPaging } from './offset-paging.ts';
import { optionalFilter } from './optional-filter.ts';
import { orAcrossColumns } from './or-across-columns.ts';
import { chainOfOrs } from './or-list.ts';
import { orderByRandom } from './order-by-random.ts';
import { pagingWithoutOrder } from './paging-without-order.ts';
import { scalarSubqueryInSelect } from './scalar-subquery-in-select.ts';
import { selectForUpdateWide } from './select-for-update-wide.ts';
import { selectStar } from './select-star.ts';
import { totalWithPage } from './total-with-page.ts';
import { unboundedInList } from './unbounded-in-list.ts';
import { unionNotAll } from './union-not-all.ts';
import { updateWithoutChange } from './update-without-change.ts';
import { upsertBurnsSequence } from './upsert-burns-sequence.ts';

/** The rules over what statements say. */
export const syntaxRules: readonly AnyRule[] = [
  functionOnColumn,
  arithmeticOnColumn,
  implicitCast,
  jsonKey,
  leadingWildcard,
  orAcrossColumns,
  optionalFilter,
  chainOfOrs,
  notInSubquery,
  unboundedInList,
  missingJoinCondition,
  distinctHidesJoin,
  needlessDistinct,
  unionNotAll,
  scalarSubqueryInSelect,
  countForExistence,
  countAll,
  countDistinctLarge,
  offsetPaging,
  pagingWithoutOrder,
  totalWithPage,
  orderByRandom,
  selectStar,
  updateWithoutChange,
  deleteWithoutBatches,
  forUpdateWithoutSkipLocked,
  selectForUpdateWide,
  upsertBurnsSequence,
];
