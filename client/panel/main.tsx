import './panel.css';
import { showScreen } from '../ui/frame.tsx';
import { Panel } from './panel.tsx';

showScreen(<Panel />);
