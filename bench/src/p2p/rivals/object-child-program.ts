/** The program of the child of `object-child-process.ts`: gives back what it gets. */
process.on('message', (value) => process.send!(value));
process.on('disconnect', () => process.exit());
