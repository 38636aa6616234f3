/** Properties are tried with lists as long as they say: fast-check would make ten items of two hundred. */
import fc from 'fast-check';

fc.configureGlobal({ ...fc.readConfigureGlobal(), defaultSizeToMaxWhenMaxSpecified: true });
