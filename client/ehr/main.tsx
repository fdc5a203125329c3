import './ehr.css';
import { showScreen } from '../ui/frame.tsx';
import { SandboxEhr } from './sandbox-ehr.tsx';

showScreen(<SandboxEhr />);
