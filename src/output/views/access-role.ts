import type {PrintedRole} from '../../operations/access/role.js';
import type {View} from '../view.js';

/** `access role`: manifests for `kubectl apply -f -`. JSON is the same as a List, without comments. */
export const accessRoleView: View<PrintedRole> = {text: ({yaml}) => yaml()};
