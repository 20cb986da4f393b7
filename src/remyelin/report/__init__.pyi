from .page import Pages as Pages
from .page import all_pages as all_pages
from .page import missing_pages as missing_pages
from .page import participant_page as participant_page
from .page import participant_pages as participant_pages
from .page import trial_page as trial_page
from .save import analyse_folder as analyse_folder
from .save import save_analysis as save_analysis
