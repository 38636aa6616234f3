import { memorySamples } from '../../../../../lib/resources/store/memory.ts';
import { storeContract } from '../../../../integration/lib/resources/store-contract.ts';

storeContract('memory', { open: memorySamples });
