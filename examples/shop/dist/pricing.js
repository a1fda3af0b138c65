// What an order costs. Compiled to dist/pricing.js by build.mjs; errors must point to the lines of this file.
var Failure = /*#__PURE__*/ function(Failure) {
    Failure["UnknownGoods"] = "unknown goods";
    Failure["BadVoucher"] = "bad voucher";
    Failure["TooMuch"] = "more than was paid";
    return Failure;
}(Failure || {});
export class PricingError extends Error {
    failure;
    constructor(failure, detail, options){
        super(`${failure}: ${detail}`, options), this.failure = failure;
        this.name = 'PricingError';
    }
}
/** AUTUMN-15 takes 15 per cent off. */ function percentOff(voucher) {
    const text = voucher.split('-')[1] ?? '';
    const percent = Number(text);
    if (!Number.isInteger(percent)) {
        throw new RangeError(`"${text}" is not a whole number of per cent`);
    }
    return percent;
}
function discounted(order, total) {
    if (order.voucher === undefined) return total;
    try {
        return Math.round(total * (100 - percentOff(order.voucher)) / 100);
    } catch (cause) {
        throw new PricingError("bad voucher", order.voucher, {
            cause
        });
    }
}
export function priceOf(order, prices) {
    const total = order.lines.reduce((sum, { sku, quantity })=>{
        const price = prices[sku];
        if (price === undefined) throw new PricingError("unknown goods", sku);
        return sum + price * quantity;
    }, 0);
    return discounted(order, total);
}
export function refund(order, cents) {
    const paid = priceOf(order, {});
    if (cents > paid) {
        throw new PricingError("more than was paid", `${cents} of ${paid} cents`);
    }
    return paid - cents;
}
//# sourceMappingURL=pricing.js.map
