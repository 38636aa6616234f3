/** The prices that an estimate is made with. */
import list from './prices.json' with { type: 'json' };

/** What something costs that can be counted. */
export type PriceName = keyof typeof list.prices;

/** The price list: when and where it holds, and what it is taken from. */
export const priceList: {
  dated: string;
  region: string;
  currency: string;
  source: string;
  prices: Record<PriceName, { price: number; per: string; source: string }>;
} = list;
