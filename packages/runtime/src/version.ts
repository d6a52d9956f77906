/** Of this package; a test compares it with package.json, which a bundled program does not have at hand. */
export const VERSION: string = '0.1.0';
