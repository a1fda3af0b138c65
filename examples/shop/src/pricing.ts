// What an order costs. Compiled to dist/pricing.js by build.mjs; errors must point to the lines of this file.

export type Cents = number;

export interface Line {
    readonly sku: string;
    readonly quantity: number;
}

export interface Order {
    readonly id: string;
    readonly lines: readonly Line[];
    readonly voucher?: string;
}

enum Failure {
    UnknownGoods = 'unknown goods',
    BadVoucher = 'bad voucher',
    TooMuch = 'more than was paid',
}

export class PricingError extends Error {
    constructor(readonly failure: Failure, detail: string, options?: ErrorOptions) {
        super(`${failure}: ${detail}`, options);
        this.name = 'PricingError';
    }
}

/** AUTUMN-15 takes 15 per cent off. */
function percentOff(voucher: string): number {
    const text: string = voucher.split('-')[1] ?? '';
    const percent = Number(text);
    if (!Number.isInteger(percent)) {
        throw new RangeError(`"${text}" is not a whole number of per cent`);
    }
    return percent;
}

function discounted<T extends Order>(order: T, total: Cents): Cents {
    if (order.voucher === undefined) return total;
    try {
        return Math.round((total * (100 - percentOff(order.voucher))) / 100);
    } catch (cause) {
        throw new PricingError(Failure.BadVoucher, order.voucher, { cause });
    }
}

export function priceOf(order: Order, prices: Record<string, Cents>): Cents {
    const total = order.lines.reduce((sum: Cents, { sku, quantity }: Line): Cents => {
        const price: Cents | undefined = prices[sku];
        if (price === undefined) throw new PricingError(Failure.UnknownGoods, sku);
        return sum + price * quantity;
    }, 0);
    return discounted(order, total);
}

export function refund(order: Order, cents: Cents): Cents {
    const paid = priceOf(order, {});
    if (cents > paid) {
        throw new PricingError(Failure.TooMuch, `${cents} of ${paid} cents`);
    }
    return paid - cents;
}
