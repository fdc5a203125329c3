import './work.css';
import { showScreen } from '../ui/frame.tsx';
import { Worklist } from './worklist.tsx';

showScreen(<Worklist />);
