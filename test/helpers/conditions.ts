import { defaultServerConditions } from 'vite';

/**
 * How tests resolve packages: our own from their sources. Without "module": what packages have under it is for bundlers,
 * and Node cannot load all of it.
 */
export const conditions = ['@agentrun/source', ...defaultServerConditions.filter((name) => name !== 'module')];
