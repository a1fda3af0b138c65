// Loaded when the first order is complete.
export function receipt(order, cents) {
    return `${order.id}: ${(cents / 100).toFixed(2)} €`;
}
