// Loaded before a manager: answers each message with the memory of the process.
process.on('message', ({ collect }) => {
  if (collect) globalThis.gc();
  process.send(process.memoryUsage());
});
