export const say = () => 'held';
