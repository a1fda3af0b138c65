export const say = () => 'ESCAPED: changed';
