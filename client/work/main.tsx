import './work.css';
import { showScreen } from '../ui/frame.tsx';
import { messages } from './messages.ts';
import { Worklist } from './worklist.tsx';

showScreen(messages.title, <Worklist />);
